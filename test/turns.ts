/**
 * Turns of phrase that comments, documents and printed texts avoid, because each has to be read twice.
 * @module
 */

const things = [
  'account|action|algorithm|alias|body|call|certificate|change|ciphertext|connection|count|database',
  'deployment|digest|document|event|field|file|grant|handler|header|journal|key|material|member|operation',
  'origin|page|policy|record|region|request|row|segment|server|service|setting|signature|socket|statement',
  'stream|table|task|thread|token|value|webhook|work|worker',
].join('|')

/** A pattern, and what to write instead. */
const turns: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bthat there (?:is|are|was|were)\b/, 'the noun alone, or "existing", "present"'],
  [/\b(?:is|are|was|were|be|been)(?: not)? told\b/, '"is reported", "gets", "learns"'],
  [/\b(?:tells?|told) of\b/, '"reports", "describes"'],
  [/\bof one['’]s own\b/, '"your own", "the caller’s"'],
  [/\bmay be let go\b|\blet go of\b/, '"may be dropped", "released"'],
  [/\bwhat\b[^.;:]{1,40}\b(?:comes?|came) to\b/, '"the total", "the result"'],
  [/\bhas come to\b|\bhave come to\b/, '"has reached", "became"'],
  [/\band (?:its|their) like\b/, '"and similar"'],
  [/\b(?:to|can|cannot) be had\b/, '"available"'],
  [/\bas (?!of\b)[^.,;:]{1,40} (?:has|have) it\b/, '"as … says", "in the form of"'],
  [/\bbeside\b/, '"in addition to", "next to", "with"'],
  [/\bso many\b/, 'the number, or "the count of"'],
  [/\bfor whoever\b/, '"for the caller", "for operators"'],
  [/\bthere (?:is|are) no more\b/, '"former", "no longer exists"'],
  [/\bto others it is\b/, 'the rule itself'],
  [new RegExp(`\\b(?:${things})(?:e?s)? whose\\b`), '"with", "that has"'],
]

interface Prose {
  readonly text: string
  /** The line of each character of `text`, from 1. */
  readonly lines: readonly number[]
}

/** Joins lines, so that a turn over the end of a line is found. Gaps between line numbers end a sentence. */
function joined(parts: readonly (readonly [line: number, text: string])[]): Prose {
  let text = ''
  const lines: number[] = []
  let before = 0
  for (const [line, part] of parts) {
    const added = `${line === before + 1 ? ' ' : '. '}${part}`
    text += added
    for (let index = 0; index < added.length; index++) lines.push(line)
    before = line
  }
  return { text, lines }
}

/** What a source file says in comments: lines of blocks, and what follows ` // `. */
function commentsOf(source: string): Prose {
  let inBlock = false
  return joined(
    source.split('\n').flatMap((line, index): (readonly [number, string])[] => {
      const opens = /^\s*\/\*/.test(line)
      if (opens || inBlock) {
        inBlock = !line.includes('*/')
        return [
          [
            index + 1,
            line
              .replace(/^\s*(?:\/\*+|\*+(?!\/))?/, '')
              .replace(/\*\/.*$/, '')
              .trim(),
          ],
        ]
      }
      const comment = /(?:^|\s)\/\/ (.*)$/.exec(line)?.[1]
      return comment === undefined ? [] : [[index + 1, comment.trim()]]
    }),
  )
}

/** A source file as it is: what a command prints stands in its string literals. */
function wholeText(source: string): Prose {
  return joined(
    source
      .split('\n')
      .map((line, index) => [index + 1, line.replace(/^\s*(?:\*+|\/\/)/, '').trim()]),
  )
}

/** A document without its blocks of code and its quoted code, which may hold AWS's words. */
function documentText(markdown: string): Prose {
  let fenced = false
  return joined(
    markdown.split('\n').flatMap((line, index): (readonly [number, string])[] => {
      if (/^\s*```/.test(line)) fenced = !fenced
      if (fenced || /^\s*```|^ {4}/.test(line)) return []
      return [[index + 1, line.replaceAll(/`[^`]*`/g, '`').trim()]]
    }),
  )
}

function proseOf(file: string, text: string): Prose {
  if (file.endsWith('.md')) return documentText(text)
  return /^(?!src\/)|^src\/(cli\/|main\.ts|config\.ts)/.test(file)
    ? wholeText(text)
    : commentsOf(text)
}

/** The turns in a file, as `line: "turn"; instead: …`. */
export function turnsIn(file: string, content: string): string[] {
  const { text, lines } = proseOf(file, content)
  return turns.flatMap(([pattern, instead]) =>
    [...text.matchAll(new RegExp(pattern, 'gi'))].map(
      ({ 0: found, index }) => `${lines[index + 1] ?? 0}: "${found}"; instead: ${instead}`,
    ),
  )
}
