-- Closed bars, one row per symbol, interval and open time, in a partition per month (UTC) of open_time.

CREATE TABLE bars (
  symbol text NOT NULL,
  interval text NOT NULL,
  open_time timestamptz NOT NULL,
  -- numeric without a scale keeps the decimals as they came: text in is text out, 1.50000000 included.
  open numeric NOT NULL,
  high numeric NOT NULL,
  low numeric NOT NULL,
  close numeric NOT NULL,
  base_volume numeric NOT NULL,
  quote_volume numeric NOT NULL,
  taker_buy_base_volume numeric NOT NULL,
  taker_buy_quote_volume numeric NOT NULL,
  trade_count integer NOT NULL,
  -- -1 in a bar without trades.
  first_trade_id bigint NOT NULL,
  last_trade_id bigint NOT NULL,
  -- 0, and one more with each correction.
  revision integer NOT NULL,
  -- Every trade of the bar is known to be in it.
  complete boolean NOT NULL,
  -- closed: from our own trades. verified: compared with the exchange's kline. imported: taken from it.
  state text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (symbol, interval, open_time),
  -- NaN and infinity are above every number, so an upper end keeps them out of all four prices and four volumes.
  CONSTRAINT prices_in_order CHECK (
    0 <= low AND low <= least(open, close) AND greatest(open, close) <= high AND high < 'Infinity'
  ),
  CONSTRAINT volumes_in_order CHECK (
    0 <= taker_buy_base_volume AND taker_buy_base_volume <= base_volume AND base_volume < 'Infinity'
    AND 0 <= taker_buy_quote_volume AND taker_buy_quote_volume <= quote_volume AND quote_volume < 'Infinity'
  ),
  CONSTRAINT ids_in_order CHECK (-1 <= first_trade_id AND first_trade_id <= last_trade_id),
  CONSTRAINT counts_not_negative CHECK (trade_count >= 0 AND revision >= 0),
  CONSTRAINT state_known CHECK (state IN ('closed', 'verified', 'imported'))
) PARTITION BY RANGE (open_time);

-- ensure_bar_month(moment): makes the partition that `moment` falls into, unless it is there. A second run does nothing.
-- Runs with the rights of its owner, so that whoever writes bars needs no right to create tables.
-- Refuses (22008, a data error) what is before Bitcoin or more than a year ahead: a wrong time makes no table, and there are
-- never more than twelve of them a year.
CREATE FUNCTION ensure_bar_month(moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET timezone = 'UTC' AS $$
DECLARE
  month_start timestamptz := date_trunc('month', moment);
  month_name text := 'bars_' || to_char(moment, 'YYYY_MM');
BEGIN
  IF moment < '2009-01-01' OR moment > now() + interval '1 year' THEN
    RAISE EXCEPTION 'no bar opens at %', moment USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF to_regclass(month_name) IS NOT NULL THEN RETURN; END IF;
  -- Whoever comes second waits here and then finds the table. It is the lock that ATTACH takes anyway; an advisory lock
  -- would not do, since only a table's lock makes to_regclass forget what it saw before (tried: "already exists").
  LOCK TABLE bars IN SHARE UPDATE EXCLUSIVE MODE;
  IF to_regclass(month_name) IS NOT NULL THEN RETURN; END IF;
  -- Attached rather than created as a partition: that would lock out every reader and writer of bars, this does not.
  EXECUTE format('CREATE TABLE %I (LIKE bars INCLUDING ALL)', month_name);
  EXECUTE format(
    'ALTER TABLE bars ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
    month_name, month_start, month_start + interval '1 month'
  );
END $$;

-- A function with its owner's rights must not find its names in a schema of the caller's choosing.
DO $$ BEGIN
  EXECUTE format(
    'ALTER FUNCTION ensure_bar_month(timestamptz) SET search_path = %I, pg_temp', current_schema()
  );
END $$;
