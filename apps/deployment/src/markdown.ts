/** A heading of a Markdown text, and what stands below it, up to the next heading of any level. */
export interface Section {
  readonly heading: string
  readonly level: number
  /** What a link to it ends in, behind the `#`. */
  readonly anchor: string
  readonly text: string
}

export function sectionsOf(markdown: string): Section[] {
  const bare = markdown.replace(/^```[\s\S]*?^```/gm, block => block.replace(/^#/gm, ' '))
  return bare.split(/^(?=#{1,6} )/m).flatMap(part => {
    const [, marks, heading] = /^(#{1,6}) (.*)/.exec(part) ?? []
    if (marks === undefined || heading === undefined) return []
    return [{ heading, level: marks.length, anchor: anchorOf(heading), text: part.slice(part.indexOf('\n') + 1) }]
  })
}

/** As the sites make it that show Markdown: lower case, nothing but letters, digits, - and _, and - for each space. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Where a text links to, as it is written. */
export function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
}
