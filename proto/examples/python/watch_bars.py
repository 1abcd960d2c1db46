"""Closed bars as they come, since a moment, without a hole and without a repeat, whatever happens to the connection.

Needs grpcio and protobuf, and the code that is generated from the contract (run at the top of the repository):

    apt-get install python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc     # or: pip install grpcio-tools
    mkdir -p generated
    protoc -I proto --python_out=generated --grpc_python_out=generated \\
        --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin chart/v1/chart.proto
    # with pip: python -m grpc_tools.protoc -I proto --python_out=generated --grpc_python_out=generated chart/v1/chart.proto
    PYTHONPATH=generated /usr/bin/python3 proto/examples/python/watch_bars.py BTCUSDT ETHUSDT --since 2026-04-01T12:00:00Z

Each line: symbol, interval, open time, CLOSED or CORRECTED, revision, open, high, low, close, base volume, trades, average price.
"""

import argparse
import os
import random
import sys
import time
from decimal import Decimal
from typing import Dict, Iterable, Iterator, List, Tuple

import grpc
from chart.v1 import chart_pb2 as pb
from chart.v1.chart_pb2_grpc import ChartServiceStub

# Another edge may answer. Everything else (a wrong request, a key that is refused) stays wrong.
WORTH_ANOTHER_TRY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
# Pauses between tries double from the first to the longest, and are drawn at random below that, so that clients do not come all at once.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
# A connection that is gone without a word is noticed after these two together.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 20_000, 10_000
# Corrections of older bars than these are not asked about: as many as the contract says are enough.
CORRECTED_KEPT = 64


class Positions:
    """Where we stand in each series: with it a call goes on where the one before ended, at whichever edge."""

    def __init__(self) -> None:
        self._by_series: Dict[Tuple[str, str], pb.SeriesPosition] = {}

    def take(self, bar: pb.Bar) -> None:
        """We have this bar now."""
        key = (bar.symbol, bar.interval)
        at = self._by_series.get(key, pb.SeriesPosition(symbol=bar.symbol, interval=bar.interval))
        version = pb.BarVersion(
            open_time=bar.open_time, state=bar.state, revision=bar.revision, last_trade_id=bar.last_trade_id
        )
        # Of this one and the newest so far, the older one is remembered only if it was corrected.
        older, newest = sorted([at.newest, version], key=open_time_of)
        corrected = {open_time_of(one): one for one in at.corrected}
        if open_time_of(older) < open_time_of(newest) and older.revision > 0:
            corrected[open_time_of(older)] = older
        kept = [corrected[open_time] for open_time in sorted(corrected)][-CORRECTED_KEPT:]
        self._by_series[key] = pb.SeriesPosition(
            symbol=bar.symbol, interval=bar.interval, newest=newest, corrected=kept
        )

    def take_all(self, positions: Iterable[pb.SeriesPosition]) -> None:
        """Where the edge says that we stand, when it ends a call."""
        for position in positions:
            self._by_series[position.symbol, position.interval] = position

    def all(self) -> List[pb.SeriesPosition]:
        return list(self._by_series.values())


def open_time_of(version: pb.BarVersion) -> int:
    """In milliseconds."""
    return version.open_time.ToMilliseconds()


def events(stub: ChartServiceStub, request: pb.StreamBarsRequest, metadata: list) -> Iterator[pb.BarEvent]:
    """Every event of every call, one call after the other, each going on where the last one ended."""
    positions = Positions()
    tries = 0
    while True:
        del request.positions[:]
        request.positions.extend(positions.all())
        try:
            for response in stub.StreamBars(request, metadata=metadata, wait_for_ready=True):
                tries = 0
                for event in response.events:
                    if event.HasField("bar"):
                        positions.take(event.bar)
                    yield event
                positions.take_all(response.positions)
        except grpc.RpcError as error:
            if error.code() not in WORTH_ANOTHER_TRY:
                raise
            print(f"{error.code().name}: {error.details()}; calling again", file=sys.stderr, flush=True)
        tries += 1
        time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**tries)))


def line_of(event: pb.BarEvent) -> str:
    bar = event.bar
    base, quote = Decimal(bar.base_volume), Decimal(bar.quote_volume)
    average = f"{quote / base:.8f}" if base else "-"
    what = pb.BarEventType.Name(event.type).replace("BAR_EVENT_TYPE_", "")
    prices = [bar.open, bar.high, bar.low, bar.close]
    known = [bar.symbol, bar.interval, bar.open_time.ToJsonString(), what, str(bar.revision)]
    return " ".join([*known, *prices, bar.base_volume, str(bar.trade_count), average])


def open_channel(options: argparse.Namespace) -> grpc.Channel:
    arguments = [
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # With dns:///name:port every edge behind the name has its share, and the next call goes to the next one.
        ("grpc.lb_policy_name", "round_robin"),
    ]
    if options.ca is None and not options.tls:
        return grpc.insecure_channel(options.address, arguments)
    roots = open(options.ca, "rb").read() if options.ca else None
    return grpc.secure_channel(options.address, grpc.ssl_channel_credentials(roots), arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints closed bars as they come. The API key is read from CHART_API_KEY.")
    parser.add_argument("symbols", nargs="+", help="BTCUSDT")
    parser.add_argument("--interval", action="append", help="1m (the default); may be given several times")
    parser.add_argument("--since", help="2026-04-01T12:00:00Z: begin with the bars that opened then")
    parser.add_argument("--address", default="localhost:50051", help="of an edge, or of all of them: dns:///edge:50051")
    parser.add_argument("--tls", action="store_true", help="with the system's certificate authorities")
    parser.add_argument("--ca", help="a file of certificate authorities, in PEM; implies --tls")
    options = parser.parse_args()

    # Without the mode every trade would come as an update of its live bar.
    request = pb.StreamBarsRequest(
        symbols=options.symbols, intervals=options.interval or ["1m"], mode=pb.STREAM_MODE_CLOSED
    )
    if options.since:
        request.start_time.FromJsonString(options.since)
    key = os.environ.get("CHART_API_KEY")
    metadata = [("authorization", f"Bearer {key}")] if key else []
    with open_channel(options) as channel:
        for event in events(ChartServiceStub(channel), request, metadata):
            if event.type in (pb.BAR_EVENT_TYPE_CLOSED, pb.BAR_EVENT_TYPE_CORRECTED):
                print(line_of(event), flush=True)
            elif event.type == pb.BAR_EVENT_TYPE_GAP:
                print(f"no closed bars of {event.gap.symbol} {event.gap.interval} for a while: {event.gap}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
