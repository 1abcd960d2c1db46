import type { Command } from './key-bindings.ts'
import { LAYOUTS } from './layout.ts'

/** What commands act upon: the page, and the chart in use. */
export interface Commanded {
  readonly count: number
  setCount(count: number): void
  nextTheme(): void
  openHelp(): void
  /** Uses the chart before or after. */
  goToChart(by: 1 | -1): void
  /** The chart in use; undefined where there is none. */
  readonly chart: CommandedChart | undefined
}

export interface CommandedChart {
  setInterval(index: number): void
  goToSymbol(by: 1 | -1): void
  search(): void
  remove(): void
  zoom(by: 1 | -1): void
  scroll(by: 1 | -1): void
  toOldest(): void
  toNewest(): void
}

/** Does what a key or a button says. */
export function runCommand(command: Command, page: Commanded, chartsMax: number): void {
  switch (command.does) {
    case 'help':
      page.openHelp()
      break
    case 'theme':
      page.nextTheme()
      break
    case 'layout':
      page.setCount(LAYOUTS.find(count => count > page.count) ?? LAYOUTS[0]!)
      break
    case 'add':
      page.setCount(Math.min(page.count + 1, chartsMax))
      break
    case 'chart':
      page.goToChart(command.by)
      break
    case 'interval':
      page.chart?.setInterval(command.index)
      break
    case 'symbol':
      page.chart?.goToSymbol(command.by)
      break
    case 'search':
      page.chart?.search()
      break
    case 'remove':
      page.chart?.remove()
      break
    case 'zoom':
      page.chart?.zoom(command.by)
      break
    case 'scroll':
      page.chart?.scroll(command.by)
      break
    case 'oldest':
      page.chart?.toOldest()
      break
    case 'newest':
      page.chart?.toNewest()
      break
    default:
      command satisfies never
  }
}
