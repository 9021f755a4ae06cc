/**
 * The shapes of wire members: how an operation declares its input, and the one reader that checks
 * an untrusted value against the declaration. A failure is a tagged record; `wire/` turns it into
 * AWS's sentence.
 * Sources: `kms-2014-11-01` model (limits, patterns, enums); recorded answers (which members hide
 * their values).
 * @module
 */

/** What can be wrong with a value of the right JSON type. */
export type Constraint =
  | { readonly kind: 'required' }
  | { readonly kind: 'minLength'; readonly limit: number }
  | { readonly kind: 'maxLength'; readonly limit: number }
  | { readonly kind: 'minValue'; readonly limit: number }
  | { readonly kind: 'maxValue'; readonly limit: number }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'enum'; readonly values: readonly string[] }

export interface ShapeFailure {
  /** As AWS prints it: `tags.1.member.tagKey`. */
  readonly path: string
  /** The invalid value as text; undefined if absent; null if it must not be shown. */
  readonly value: string | undefined | null
  readonly constraint: Constraint
}

/** The value has the wrong JSON type: AWS's `SerializationException`. */
export class ShapeMismatch extends Error {}

/** One member's declaration. `read` gets a defined, non-null JSON value and adds to `failures`. */
export interface Member<T, Required extends boolean = boolean> {
  readonly required: Required
  /**
   * Whether messages may show the value. They never show a blob's; for a sensitive member they do
   * not even say that it is absent.
   */
  readonly hidden: 'shown' | 'blob' | 'sensitive'
  /** Limits, which a test compares with the service's model. */
  readonly limits: Limits
  read(value: unknown, path: string, failures: ShapeFailure[]): T
}

export interface Limits {
  readonly type:
    | 'string'
    | 'blob'
    | 'integer'
    | 'boolean'
    | 'timestamp'
    | 'list'
    | 'map'
    | 'structure'
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly values?: readonly string[]
  readonly member?: Member<unknown>
  readonly members?: Members
}

export type Members = Readonly<Record<string, Member<unknown>>>

type RequiredNames<M extends Members> = {
  [K in keyof M]: M[K] extends Member<unknown, true> ? K : never
}[keyof M]
type ValueOf<X> = X extends Member<infer T> ? T : never

/** The result of reading `M`: required members are present, the others may be absent. */
export type Input<M extends Members> = {
  readonly [K in RequiredNames<M>]: ValueOf<M[K]>
} & { readonly [K in Exclude<keyof M, RequiredNames<M>>]?: ValueOf<M[K]> }

/** Marks a member as required. */
export function required<T>(member: Member<T, false>): Member<T, true> {
  return { ...member, required: true }
}

function optional<T>(
  limits: Limits,
  read: Member<T>['read'],
  hidden: Member<T>['hidden'] = 'shown',
): Member<T, false> {
  return { required: false, hidden, limits, read }
}

interface TextLimits {
  readonly min?: number
  readonly max?: number
  /** Java syntax, as AWS prints it; must mean the same in JavaScript with the `u` flag. */
  readonly pattern?: string
  readonly sensitive?: true
}

export function text(limits: TextLimits = {}): Member<string, false> {
  const { min, max, pattern, sensitive } = limits
  const expression = pattern === undefined ? undefined : javaPattern(pattern)
  const read = (value: unknown, path: string, failures: ShapeFailure[]): string => {
    if (typeof value !== 'string') throw new ShapeMismatch(path)
    const shown = sensitive ? null : value
    checkRange(value.length, { min, max }, 'Length', path, shown, failures)
    if (expression !== undefined && pattern !== undefined && !expression.test(value)) {
      failures.push({ path, value: shown, constraint: { kind: 'pattern', pattern } })
    }
    return value
  }
  return optional(
    present({ type: 'string', min, max, pattern }),
    read,
    sensitive ? 'sensitive' : 'shown',
  )
}

/** AWS anchors every pattern; `\w` and `\s` are ASCII in Java, and U+00FF ranges need no flag. */
function javaPattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern.replace('\\p{ASCII}', '[\\x00-\\x7f]')})$`, 'u')
}

/**
 * A closed set of strings. `values` is in the order in which AWS prints it. `printed` is the list
 * that AWS prints, if it differs.
 */
export function oneOf<const V extends string>(
  values: readonly V[],
  printed: readonly string[] = values,
): Member<V, false> {
  const read = (value: unknown, path: string, failures: ShapeFailure[]): V => {
    if (typeof value !== 'string') throw new ShapeMismatch(path)
    if (!values.some((known) => known === value)) {
      failures.push({ path, value, constraint: { kind: 'enum', values: printed } })
    }
    // A value outside the set is in `failures`, so no caller of `readInput` sees it.
    return value as V
  }
  return optional({ type: 'string', values }, read)
}

/** For texts with a multiple of four characters: then the padding is the one that is needed. */
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Bytes, base64 on the wire; `min` and `max` count bytes. */
export function blob(limits: {
  min: number
  max: number
  sensitive?: true
}): Member<Uint8Array, false> {
  const { min, max, sensitive } = limits
  const read = (value: unknown, path: string, failures: ShapeFailure[]): Uint8Array => {
    // `Buffer.from` skips characters that are not base64, so the text is checked first.
    if (typeof value !== 'string' || value.length % 4 !== 0 || !base64.test(value)) {
      throw new ShapeMismatch(path)
    }
    const bytes = Buffer.from(value, 'base64')
    checkRange(bytes.length, { min, max }, 'Length', path, null, failures)
    return bytes
  }
  return optional({ type: 'blob', min, max }, read, sensitive ? 'sensitive' : 'blob')
}

export function integer(limits: { min?: number; max?: number } = {}): Member<number, false> {
  const read = (value: unknown, path: string, failures: ShapeFailure[]): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new ShapeMismatch(path)
    checkRange(value, limits, 'Value', path, String(value), failures)
    return value
  }
  return optional({ type: 'integer', ...limits }, read)
}

export function boolean(): Member<boolean, false> {
  return optional({ type: 'boolean' }, (value, path) => {
    if (typeof value !== 'boolean') throw new ShapeMismatch(path)
    return value
  })
}

/** Seconds since the epoch on the wire, with a fraction. */
export function timestamp(): Member<Date, false> {
  return optional({ type: 'timestamp' }, (value, path) => {
    const date = typeof value === 'number' ? new Date(Math.round(value * 1000)) : undefined
    if (date === undefined || Number.isNaN(date.getTime())) throw new ShapeMismatch(path)
    return date
  })
}

export function list<T>(
  member: Member<T>,
  limits: { min?: number; max?: number } = {},
): Member<T[], false> {
  const read = (value: unknown, path: string, failures: ShapeFailure[]): T[] => {
    if (!Array.isArray(value)) throw new ShapeMismatch(path)
    checkRange(value.length, limits, 'Length', path, null, failures)
    // A list over its limit is refused before any of its items is read.
    if (limits.max !== undefined && value.length > limits.max) return []
    return value.map((item: unknown, index) => {
      const itemPath = `${path}.${index + 1}.member`
      if (item === null || item === undefined) throw new ShapeMismatch(itemPath)
      return member.read(item, itemPath, failures)
    })
  }
  return optional({ type: 'list', ...limits, member }, read)
}

/**
 * The most pairs in one map. AWS states no limit. Each pair is a condition key and a line of the
 * audit record, so a body full of them would block other calls.
 */
const mapPairsMax = 4096

/** A map from string to string. It has no prototype, because the caller chooses its keys. */
export function stringMap(): Member<Record<string, string>, false> {
  const read = (value: unknown, path: string, failures: ShapeFailure[]): Record<string, string> => {
    if (!isObject(value)) throw new ShapeMismatch(path)
    const pairs = Object.entries(value)
    checkRange(pairs.length, { max: mapPairsMax }, 'Length', path, null, failures)
    const map: Record<string, string> = Object.create(null)
    if (pairs.length > mapPairsMax) return map
    for (const [key, item] of pairs) {
      if (typeof item !== 'string') throw new ShapeMismatch(path)
      map[key] = item
    }
    return map
  }
  return optional({ type: 'map', member: text() }, read)
}

export function structure<M extends Members>(members: M): Member<Input<M>, false> {
  const read = (value: unknown, path: string, failures: ShapeFailure[]): Input<M> =>
    readMembers(members, value, `${path}.`, failures)
  return optional({ type: 'structure', members }, read)
}

/**
 * Reads `value` against `members`. Like AWS, it ignores members that are not declared.
 * @throws {ShapeMismatch} when a JSON type is wrong
 */
export function readInput<M extends Members>(
  members: M,
  value: unknown,
): { readonly input: Input<M>; readonly failures: readonly ShapeFailure[] } {
  const failures: ShapeFailure[] = []
  return { input: readMembers(members, value, '', failures), failures }
}

function readMembers<M extends Members>(
  members: M,
  value: unknown,
  prefix: string,
  failures: ShapeFailure[],
): Input<M> {
  if (!isObject(value)) throw new ShapeMismatch(prefix)
  const read: Record<string, unknown> = {}
  for (const { name, shown, member } of fieldsOf(members)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    if (given !== undefined && given !== null) {
      read[name] = member.read(given, prefix + shown, failures)
    } else if (member.required) {
      const absent = member.hidden === 'sensitive' ? null : undefined
      failures.push({ path: prefix + shown, value: absent, constraint: { kind: 'required' } })
    }
  }
  // Each member was read by its own declaration, and a required one that is absent is in `failures`.
  return read as Input<M>
}

interface Field {
  readonly name: string
  /** As messages show it. */
  readonly shown: string
  readonly member: Member<unknown>
}

/** Made once for each shape. */
const fieldsByMembers = new WeakMap<Members, readonly Field[]>()

function fieldsOf(members: Members): readonly Field[] {
  const known = fieldsByMembers.get(members)
  if (known !== undefined) return known
  const fields = Object.entries(members).map(([name, member]) => ({
    name,
    shown: lowerFirst(name),
    member,
  }))
  fieldsByMembers.set(members, fields)
  return fields
}

function checkRange(
  size: number,
  limits: { readonly min?: number | undefined; readonly max?: number | undefined },
  of: 'Length' | 'Value',
  path: string,
  value: string | null,
  failures: ShapeFailure[],
): void {
  const { min, max } = limits
  if (min !== undefined && size < min) {
    failures.push({ path, value, constraint: { kind: `min${of}`, limit: min } })
  }
  if (max !== undefined && size > max) {
    failures.push({ path, value, constraint: { kind: `max${of}`, limit: max } })
  }
}

function present(
  limits: { [K in keyof Limits]: Limits[K] | undefined } & { type: Limits['type'] },
): Limits {
  const entries = Object.entries(limits).filter(([, limit]) => limit !== undefined)
  return Object.fromEntries(entries) as unknown as Limits // only undefined entries were dropped
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `KeyId` → `keyId`: AWS's names of members in messages and audit records. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
