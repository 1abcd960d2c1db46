import { PLACES } from './places.ts'
import { readRuleGroups, ruleFileOf } from './prometheus-rules.ts'

/** `npm run -s alerts > chart.rules.yaml`: all recording and alert rules as one file, for a Prometheus without the operator. */
process.stdout.write(ruleFileOf(await readRuleGroups(PLACES)))
