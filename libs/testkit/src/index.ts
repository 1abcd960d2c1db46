export { type AppProcess, killApps, runApp } from './app-process.ts'
export {
  NEEDS_RECORDINGS,
  RECORDINGS,
  recordedFile,
  recordedLines,
  recordedRows,
  recordedText,
} from './recordings.ts'
export { type CollectedSpan, startTraceCollector, type TraceCollector } from './trace-collector.ts'
export { until } from './until.ts'
