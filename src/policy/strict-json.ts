/**
 * Parses policy JSON without duplicate members and with limited depth. `JSON.parse` keeps the last of
 * two members with one name, so a reader and the engine could see different policies.
 * @see https://www.rfc-editor.org/rfc/rfc8259
 * @module
 */

export type JsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: 'syntax' | 'depth' | 'duplicate' }

/** Parses `text` in time linear in its length. */
export function readStrictJson(text: string, depthMax: number): JsonResult {
  const why = scan(text, depthMax)
  if (why !== undefined) return { ok: false, why }
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, value }
  } catch {
    return { ok: false, why: 'syntax' }
  }
}

/**
 * Scans only the structural characters. In valid JSON it sees every member name. Its result for other
 * text does not matter, because `JSON.parse` refuses that.
 */
function scan(text: string, depthMax: number): 'depth' | 'duplicate' | 'syntax' | undefined {
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{' || character === '[') {
      open.push(new Set())
      if (open.length > depthMax) return 'depth'
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = endOfString(text, at)
      if (end === undefined) return 'syntax'
      if (isFollowedByColon(text, end + 1)) {
        const name = nameOf(text.slice(at, end + 1))
        const names = open.at(-1)
        if (name === undefined || names === undefined) return 'syntax'
        if (names.has(name)) return 'duplicate'
        names.add(name)
      }
      at = end
    }
  }
  return undefined
}

function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return undefined
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1
  return text[at] === ':'
}

/** Two spellings of one name (`"a"`, `"\u0061"`) are the same name. */
function nameOf(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return undefined
  }
}
