/**
 * The conditions, variables and wildcards of the second evaluator, straight from the written rules. It shares
 * no code with the engine.
 * @module
 */

export type PlainContext = Readonly<Record<string, readonly string[]>>

interface Setting {
  readonly variables: boolean
  readonly deny: boolean
  readonly context: PlainContext
}

/** Whether one operator on one key holds of what is given of it. */
export function conditionHolds(
  name: string,
  given: readonly string[] | undefined,
  wanted: readonly string[],
  setting: Setting,
): boolean {
  const missing = given === undefined || given.length === 0
  if (name === 'Null') return wanted.includes(String(missing))
  const [, set = '', operator = '', ifExists = ''] =
    /^(ForAllValues:|ForAnyValue:|)(.*?)(IfExists|)$/.exec(name) ?? []
  const negated = operator.includes('Not')
  if (missing) return ifExists !== '' || set === 'ForAllValues:' || (set === '' && negated)
  const positive = operator.replace('Not', '')
  const holdsFor = (value: string): boolean => {
    const answers = wanted.map((each) => compare(positive, value, each, setting))
    if (answers.includes('yes')) return !negated
    if (answers.includes('unreadable')) return setting.deny
    if (answers.includes('no value') && negated) return setting.deny
    return negated
  }
  if (set === 'ForAnyValue:') return given.some(holdsFor)
  if (set === 'ForAllValues:') return given.every(holdsFor)
  return setting.deny ? given.some(holdsFor) : given.every(holdsFor)
}

type Answer = 'yes' | 'no' | 'no value' | 'unreadable'

function compare(operator: string, given: string, wanted: string, setting: Setting): Answer {
  const symbols = fill(wanted, setting.variables, setting.context)
  const plain = symbols?.map((symbol) => symbol.slice(-1)).join('')
  const yes = (answer: boolean): Answer => (answer ? 'yes' : 'no')
  if (operator === 'Bool') {
    return /^(true|false)$/i.test(given) ? yes(given.toLowerCase() === wanted) : 'unreadable'
  }
  if (operator.startsWith('Numeric')) {
    if (!/^-?\d+(\.\d+)?$/.test(given)) return 'unreadable'
    return yes(ranks(operator.slice('Numeric'.length), Number(given), Number(wanted)))
  }
  if (operator.startsWith('Date')) {
    const [at, bound] = [instantOf(given), instantOf(wanted)]
    if (at === undefined || bound === undefined) return 'unreadable'
    return yes(ranks(operator.slice('Date'.length), at, bound))
  }
  if (operator === 'BinaryEquals') {
    const whole = Buffer.from(given, 'base64').toString('base64') === given
    return whole ? yes(given === wanted) : 'unreadable'
  }
  if (operator === 'IpAddress') {
    const value = addressBits(given)
    const [address = '', length = '32'] = wanted.split('/')
    if (value === undefined) return 'unreadable'
    return yes(addressBits(address)?.slice(0, Number(length)) === value.slice(0, Number(length)))
  }
  if (symbols === undefined || plain === undefined) return 'no value'
  if (operator === 'StringEquals') return yes(plain === given)
  if (operator === 'StringEqualsIgnoreCase') return yes(plain.toLowerCase() === given.toLowerCase())
  if (operator === 'StringLike') return yes(like(symbols, given))
  return arnAnswer(symbols, given)
}

function ranks(relation: string, given: number, wanted: number): boolean {
  const strict = relation.startsWith('LessThan') ? given < wanted : given > wanted
  if (relation === 'Equals') return given === wanted
  return strict || (relation.endsWith('ThanEquals') && given === wanted)
}

/** ISO 8601, or seconds since the epoch; four digits are a year. */
function instantOf(text: string): number | undefined {
  if (/^-?\d+$/.test(text) && text.length !== 4) return Number(text) * 1000
  const parsed = /^\d{4}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(parsed) ? undefined : parsed
}

function addressBits(address: string): string | undefined {
  const numbers = address.split('.').map(Number)
  if (numbers.length !== 4 || numbers.some((each) => !(each >= 0 && each <= 255))) return undefined
  return numbers.map((each) => each.toString(2).padStart(8, '0')).join('')
}

function arnAnswer(symbols: readonly string[], given: string): Answer {
  const parts = given.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return 'unreadable'
  const values = [...parts.slice(0, 5), parts.slice(5).join(':')]
  const patterns: string[][] = [[]]
  for (const symbol of symbols) {
    if (symbol.slice(-1) === ':' && patterns.length < 6) patterns.push([])
    else patterns.at(-1)?.push(symbol)
  }
  if (patterns.length < 6) return 'no value'
  return patterns.every((pattern, index) => like(pattern, values[index] ?? '')) ? 'yes' : 'no'
}

/** The text as symbols; a literal that could be taken for a wildcard is written `=*`, `=?`. */
export function fill(
  text: string,
  variables: boolean,
  context: PlainContext,
): readonly string[] | undefined {
  const found = variables ? /^(.*?)\$\{([^}]*)\}(.*)$/s.exec(text) : null
  if (found === null) return text.split('')
  const [, before = '', inner = '', after = ''] = found
  const [, key = '', fallback] = /^([^,]*?)(?:, *'(.*)')?$/.exec(inner) ?? []
  const values = context[key.toLowerCase()]
  const value = ['*', '?', '$'].includes(inner)
    ? inner
    : values === undefined
      ? fallback
      : values.length === 1
        ? values[0]
        : undefined
  const rest = fill(after, variables, context)
  if (value === undefined || rest === undefined) return undefined
  return [...before.split(''), ...value.split('').map((each) => `=${each}`), ...rest]
}

/** Tries everything. */
export function like(symbols: readonly string[], value: string): boolean {
  const [symbol, ...rest] = symbols
  if (symbol === undefined) return value === ''
  if (symbol === '*') return like(rest, value) || (value !== '' && like(symbols, value.slice(1)))
  const fits = symbol === '?' || symbol.slice(-1) === value[0]
  return value !== '' && fits && like(rest, value.slice(1))
}
