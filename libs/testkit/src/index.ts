export { type AppProcess, killApps, runApp } from './app-process.ts'
export { messageOf, openRawSession, type RawAnswer, rawCall, textField } from './raw-call.ts'
export {
  NEEDS_RECORDINGS,
  RECORDINGS,
  recordedFile,
  recordedLines,
  recordedRows,
  recordedText,
} from './recordings.ts'
export { type TextFiles, writeFolder } from './text-files.ts'
export { until } from './until.ts'
