/**
 * Parses `application/x-www-form-urlencoded` bodies of the AWS Query protocol into a tree. Names with
 * dots are paths, such as `Tags.member.1.Key`. Everything is bounded, and whatever two readers could
 * read differently is refused: a repeated name, a value with children, broken percent-encoding.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 * @module
 */
import type { Limits, Member, Members } from '../model/shape.ts'

/** The body is not a form, or is ambiguous. */
export class MalformedForm extends Error {}

/** One name of a path: its value, or its children. */
export interface FormNode {
  value?: string
  readonly below: Map<string, FormNode>
}

const pairsMax = 4096
const nameCharsMax = 512
const depthMax = 12

/** @throws {MalformedForm} */
export function parseForm(body: Buffer): FormNode {
  const root: FormNode = { below: new Map() }
  if (body.length === 0) return root
  // Bytes beyond ASCII must be percent-encoded. As latin1, each of them is visible to the check.
  const text = body.toString('latin1')
  if (!/^[\x21-\x7e]*$/.test(text)) throw new MalformedForm('a byte that must be encoded')
  const pairs = text.split('&', pairsMax + 1)
  if (pairs.length > pairsMax) throw new MalformedForm(`more than ${pairsMax} parameters`)
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decoded(equals === -1 ? pair : pair.slice(0, equals))
    put(root, name, equals === -1 ? '' : decoded(pair.slice(equals + 1)))
  }
  return root
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new MalformedForm('broken percent-encoding', { cause })
  }
}

function put(root: FormNode, name: string, value: string): void {
  if (name === '' || name.length > nameCharsMax) throw new MalformedForm('a name out of bounds')
  const parts = name.split('.')
  if (parts.length > depthMax) throw new MalformedForm('nested too deeply')
  let node = root
  for (const part of parts) {
    if (node.value !== undefined) throw new MalformedForm('a value with parts below it')
    let next = node.below.get(part)
    if (next === undefined) {
      next = { below: new Map() }
      node.below.set(part, next)
    }
    node = next
  }
  if (node.value !== undefined) throw new MalformedForm('a parameter is there twice')
  if (node.below.size > 0) throw new MalformedForm('a value with parts below it')
  node.value = value
}

/**
 * The declared members of a form, as the JSON value that their shapes read. Undeclared members are
 * ignored, as at AWS.
 * @throws {MalformedForm} for text that does not have the member's type
 */
export function formMembers(
  members: Members,
  { below }: FormNode,
): Readonly<Record<string, unknown>> {
  const read: Record<string, unknown> = Object.create(null)
  for (const [name, { limits }] of Object.entries(members)) {
    const node = below.get(name)
    if (node !== undefined) read[name] = valueOf(limits, node)
  }
  return read
}

function valueOf(limits: Limits, node: FormNode): unknown {
  if (limits.type === 'list') {
    return items(node, 'member').map((item) => valueOf(limitsOf(limits.member), item))
  }
  if (limits.type === 'map') return mapOf(node)
  if (limits.type !== 'structure') return scalarOf(limits.type, node)
  if (node.value !== undefined && node.value !== '') throw new MalformedForm('not a structure')
  return formMembers(limits.members ?? {}, node)
}

function limitsOf(member: Member<unknown> | undefined): Limits {
  if (member === undefined) throw new TypeError('a list is declared without its member')
  return member.limits
}

function scalarOf(type: Limits['type'], { value, below }: FormNode): unknown {
  if (value === undefined || below.size > 0) throw new MalformedForm('a scalar with parts below it')
  if (type === 'integer') {
    if (!/^-?\d{1,15}$/.test(value)) throw new MalformedForm('not an integer')
    return Number(value)
  }
  if (type === 'boolean') {
    if (value !== 'true' && value !== 'false') throw new MalformedForm('not a boolean')
    return value === 'true'
  }
  if (type === 'timestamp') {
    const milliseconds = Date.parse(value)
    if (Number.isNaN(milliseconds)) throw new MalformedForm('not a timestamp')
    return milliseconds / 1000
  }
  return value
}

/** The items `<list>.member.1`, `….2` and so on, without a gap. An empty list is an empty value. */
function items({ value, below }: FormNode, word: 'member' | 'entry'): readonly FormNode[] {
  if (value === '') return []
  const numbered = below.get(word)
  if (value !== undefined || numbered === undefined || below.size !== 1) {
    throw new MalformedForm('not a list')
  }
  return Array.from({ length: numbered.below.size }, (_, index) => {
    const item = numbered.below.get(String(index + 1))
    if (item === undefined) throw new MalformedForm('a list with a gap')
    return item
  })
}

function mapOf(node: FormNode): Readonly<Record<string, string>> {
  const map: Record<string, string> = Object.create(null)
  for (const { below } of items(node, 'entry')) {
    const key = below.get('key')?.value
    const value = below.get('value')?.value
    if (key === undefined || value === undefined || Object.hasOwn(map, key)) {
      throw new MalformedForm('an entry without key or value, or with a key of another')
    }
    map[key] = value
  }
  return map
}
