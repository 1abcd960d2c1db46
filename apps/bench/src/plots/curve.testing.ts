import type { Curve } from './curve.ts'

/** Two series over a logarithmic axis. */
export const CURVE: Curve = {
  title: 'CPU for a trade falls as the rate grows',
  x: { label: 'trades/s', log: true },
  y: { label: 'µs CPU a trade' },
  series: [
    {
      name: 'ingestor',
      points: [
        [1_000, 270],
        [10_000, 36],
        [100_000, 5],
      ],
    },
    {
      name: 'aggregator',
      points: [
        [100_000, 4],
        [1_000, 400],
        [10_000, 50],
      ],
    },
  ],
  machine: { cpu: 'a processor', cores: 2, memoryGb: 24, system: 'Linux', node: 'v24.0.0', load: 0 },
  how: 'npm run bench',
}
