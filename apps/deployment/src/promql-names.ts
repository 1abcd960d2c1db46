/** Words of the language that stand where a name might; functions are known by the parenthesis behind them. */
const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan', 'atan2', 'start', 'end'])

/** Names of the series that a PromQL expression reads. Not a parser: it takes away what can hold other words, and looks at what is left. */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '')
    .replace(/#.*$/gm, '')
    .replace(/\{[^{}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)/gi, ' ')
    .replace(/\bgroup_(?:left|right)\b/gi, ' ')
  const names = [...bare.matchAll(/(?<![\w.:])[A-Za-z_:][\w:]*(?![\w:]|\s*\()/g)].map(([name]) => name)
  return [...new Set(names.filter(name => !WORDS.has(name.toLowerCase())))]
}
