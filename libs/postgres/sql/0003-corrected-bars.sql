-- What a client that comes back may have missed: corrections of bars that it has. They are rare, so the index stays small. Building it
-- keeps writers out for a while (about a second for a million bars); the bars that close meanwhile wait in the outbox.
CREATE INDEX bars_corrected ON bars (symbol, interval, open_time) WHERE revision > 0;
