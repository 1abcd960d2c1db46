-- The auditor's work list: bars made of trades that were not compared with the exchange's yet. It holds the newest minutes, so it stays
-- small however many bars there are. Building it keeps writers out for a while (about a second for a million bars); the bars that
-- close meanwhile wait in the outbox.
CREATE INDEX bars_unverified ON bars (symbol, interval, open_time) WHERE state = 'closed';
