export { type AppProcess, killApps, runApp } from './app-process.ts'
export { BARE_ENV } from './bare-env.ts'
export { CHROMIUM_ARGS, findChromium, NEEDS_CHROMIUM } from './chromium.ts'
export { type DnsServer, startDnsServer } from './dns-server.ts'
export { PATIENT } from './patient.ts'
export { messageOf, openRawSession, type RawAnswer, rawCall, textField } from './raw-call.ts'
export {
  NEEDS_RECORDINGS,
  RECORDINGS,
  recordedFile,
  recordedLines,
  recordedRows,
  recordedText,
} from './recordings.ts'
export { startTcpLink, type TcpLink } from './tcp-link.ts'
export { type TextFiles, writeFolder } from './text-files.ts'
export { type CollectedSpan, startTraceCollector, type TraceCollector } from './trace-collector.ts'
export { until } from './until.ts'
