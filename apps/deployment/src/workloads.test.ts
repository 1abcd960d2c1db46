import { expect, test } from 'vitest'
import { appOf } from './workloads.ts'

test.each([
  ['chart/edge:0.1.0', 'edge'],
  ['registry.example:5000/acme/edge', 'edge'],
  ['registry.example/chart-exchange-simulator:1@sha256:0a', 'exchange-simulator'],
  ['edge@sha256:0a', 'edge'],
  ['redis:7-bookworm', undefined],
  ['acme/edge-proxy:1', undefined],
])('the app of the image %s', (image, app) => {
  expect(appOf({ name: 'app', image })).toBe(app)
})
