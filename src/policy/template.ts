/**
 * Policy variables: `${aws:username}`, defaults `${key, 'default'}`, and the escapes `${*}`, `${?}`,
 * `${$}`. They exist in Version 2012-10-17 only: in `Resource`, and in conditions on strings, ARNs and
 * booleans. The value of a variable is literal text, so a caller cannot inject wildcards through it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * @module
 */
import { piecesOf, type Piece } from './glob.ts'
import { spend, type Work } from './work.ts'
import type { Context } from './context-values.ts'

interface Variable {
  /** Lower case. */
  readonly key: string
  readonly fallback: string | undefined
}

export type TemplatePart = Piece | Variable

export interface TemplateRules {
  readonly variables: boolean
  readonly wildcards: boolean
}

/**
 * Characters of one text with its variables filled in. Their values are caller-controlled, and each
 * text is matched against other caller-controlled text. With the limit on variables, this bounds the
 * time.
 */
const resolvedCharsMax = 2048
/** Steps of one part, including what is compiled from it. */
const resolvingSteps = 200

const escapes = new Set(['*', '?', '$'])

/** Splits policy text into its parts; undefined when a variable is malformed. */
export function parseTemplate(
  text: string,
  { variables, wildcards }: TemplateRules,
): readonly TemplatePart[] | undefined {
  const plain = (part: string): readonly Piece[] =>
    wildcards ? piecesOf(part) : part === '' ? [] : [part]
  if (!variables) return plain(text)
  const parts: TemplatePart[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf('${', at)
    if (start === -1) return [...parts, ...plain(text.slice(at))]
    const end = text.indexOf('}', start)
    if (end === -1) return undefined
    parts.push(...plain(text.slice(at, start)))
    const inner = text.slice(start + 2, end)
    const variable = escapes.has(inner) ? inner : parseVariable(inner)
    if (variable === undefined) return undefined
    parts.push(variable)
    at = end + 1
  }
}

function parseVariable(inner: string): Variable | undefined {
  const comma = inner.indexOf(',')
  const key = (comma === -1 ? inner : inner.slice(0, comma)).trim().toLowerCase()
  if (key === '' || key.includes('${')) return undefined
  if (comma === -1) return { key, fallback: undefined }
  const quoted = inner.slice(comma + 1).trim()
  const whole = quoted.length >= 2 && quoted.startsWith("'") && quoted.endsWith("'")
  return whole ? { key, fallback: quoted.slice(1, -1) } : undefined
}

/** True when no part depends on the request. */
export function isConstant(parts: readonly TemplatePart[]): parts is readonly Piece[] {
  return parts.every((part) => typeof part !== 'object')
}

/** The number of variables in the text. */
export function countVariables(parts: readonly TemplatePart[]): number {
  return parts.filter((part) => typeof part === 'object').length
}

/**
 * Fills in the variables. `no-value`: a variable has no value. `value`: a variable has several values,
 * or the text becomes too long.
 */
export function resolveTemplate(
  parts: readonly TemplatePart[],
  context: Context,
  work: Work,
): readonly Piece[] | 'no-value' | 'value' {
  const pieces: Piece[] = []
  let length = 0
  for (const part of parts) {
    const piece = typeof part === 'object' ? valueOf(part, context) : part
    if (piece === undefined) return 'no-value'
    if (typeof piece === 'object') return 'value'
    length += typeof piece === 'string' ? piece.length : 1
    if (length > resolvedCharsMax) return 'value'
    pieces.push(piece)
  }
  spend(work, resolvingSteps * (parts.length + 1) + length)
  return pieces
}

/** A list when the variable has several values. */
function valueOf(
  { key, fallback }: Variable,
  context: Context,
): string | readonly string[] | undefined {
  const values = context.get(key)
  if (values === undefined || values.length === 0) return fallback
  return values.length === 1 ? values[0] : values
}
