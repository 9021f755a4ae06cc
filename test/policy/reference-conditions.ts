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
  if (set === 'ForAllValues:' && given.join() === '' && given.length === 1) return true
  // Nobody says what several values mean to an operator for one.
  if (set === '' && given.length > 1) return setting.deny
  const positive = operator.replace('Not', '')
  const holdsFor = (value: string): boolean => {
    const answers = wanted.map((each) => compare(positive, value, each, setting))
    if (answers.includes('yes')) return !negated
    return answers.includes('unclear') ? setting.deny : negated
  }
  return set === 'ForAllValues:' ? given.every(holdsFor) : given.some(holdsFor)
}

type Answer = 'yes' | 'no' | 'unclear'

function compare(operator: string, given: string, wanted: string, setting: Setting): Answer {
  const symbols = fill(wanted, setting.variables, setting.context)
  const yes = (answer: boolean): Answer => (answer ? 'yes' : 'no')
  if (operator.startsWith('Numeric')) {
    if (!/^-?\d+(\.\d+)?$/.test(given)) return 'unclear'
    return yes(ranks(operator.slice('Numeric'.length), Number(given), Number(wanted)))
  }
  if (operator.startsWith('Date')) {
    const [at, bound] = [instantOf(given), instantOf(wanted)]
    if (at === undefined || bound === undefined) return 'unclear'
    return yes(ranks(operator.slice('Date'.length), at, bound))
  }
  if (operator === 'BinaryEquals') {
    const whole = Buffer.from(given, 'base64').toString('base64') === given
    return whole ? yes(given === wanted) : 'unclear'
  }
  if (operator === 'IpAddress') {
    const value = addressBits(given)
    const [address = '', length = '32'] = wanted.split('/')
    if (value === undefined) return 'unclear'
    return yes(addressBits(address)?.slice(0, Number(length)) === value.slice(0, Number(length)))
  }
  // A variable without a value is null, which equals nothing.
  if (symbols === 'no value') return 'no'
  if (symbols === 'several values') return 'unclear'
  const plain = symbols.map((symbol) => symbol.slice(-1)).join('')
  if (operator === 'Bool') {
    const booleans = /^(true|false)$/i
    if (!booleans.test(given) || !booleans.test(plain)) return 'unclear'
    return yes(given.toLowerCase() === plain.toLowerCase())
  }
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
  if (parts.length < 6 || parts[0] !== 'arn') return 'unclear'
  const values = [...parts.slice(0, 5), parts.slice(5).join(':')]
  const patterns: string[][] = [[]]
  for (const symbol of symbols) {
    if (symbol.slice(-1) === ':' && patterns.length < 6) patterns.push([])
    else patterns.at(-1)?.push(symbol)
  }
  if (patterns.length < 6) return 'unclear'
  return patterns.every((pattern, index) => like(pattern, values[index] ?? '')) ? 'yes' : 'no'
}

/** The text as symbols; a literal that could be taken for a wildcard is written `=*`, `=?`. */
function fill(
  text: string,
  variables: boolean,
  context: PlainContext,
): readonly string[] | 'no value' | 'several values' {
  const found = variables ? /^(.*?)\$\{([^}]*)\}(.*)$/s.exec(text) : null
  if (found === null) return text.split('')
  const [, before = '', inner = '', after = ''] = found
  const [, key = '', fallback] = /^([^,]*?)(?:, *'(.*)')?$/.exec(inner) ?? []
  const values = context[key.toLowerCase()]
  const symbol = ['*', '?', '$'].includes(inner)
  if (!symbol && values !== undefined && values.length > 1) return 'several values'
  const value = symbol ? inner : values === undefined || values.length === 0 ? fallback : values[0]
  if (value === undefined) return 'no value'
  const rest = fill(after, variables, context)
  if (typeof rest === 'string') return rest
  return [...before.split(''), ...value.split('').map((each) => `=${each}`), ...rest]
}

/** Whether a statement's resources cover one; what is unclear goes against the caller. */
export function resourcesCover(
  {
    Resource,
    NotResource,
  }: { readonly Resource?: readonly string[]; readonly NotResource?: readonly string[] },
  arn: string,
  ofKey: boolean,
  { variables, deny, context }: Setting,
): boolean {
  const excepts = NotResource !== undefined
  // In key policies nobody says what an incomplete ARN is: it goes against the caller.
  const completed = !ofKey || deny !== excepts
  const answers = (NotResource ?? Resource ?? []).map((each) => {
    const symbols = fill(each, variables, context)
    if (typeof symbols !== 'string') return resourceLike(symbols, arn, completed)
    return symbols === 'no value' && !excepts ? false : 'unclear'
  })
  if (answers.includes(true)) return !excepts
  return answers.includes('unclear') ? deny : excepts
}

/**
 * Whether an ARN is meant by a resource: field by field, a wildcard within its own, all the fields that
 * are not written being `*`. What does not begin as an ARN is a pattern for the whole.
 */
function resourceLike(symbols: readonly string[], arn: string, completed: boolean): boolean {
  const text = symbols.map((symbol) => symbol.slice(-1)).join('')
  const wild = symbols.slice(0, 4).some((symbol) => symbol === '*' || symbol === '?')
  if (!text.startsWith('arn:') || wild) return like(symbols, arn)
  const fields: string[][] = [[]]
  for (const symbol of symbols) {
    if (symbol.slice(-1) === ':') fields.push([])
    else fields.at(-1)?.push(symbol)
  }
  const goesOn = symbols.at(-1) === '*' || (completed && fields.length < 6)
  const given = arn.split(':')
  const rest = given.slice(fields.length)
  if (given.length < fields.length || (rest.length > 0 && !goesOn)) return false
  return fields.every((field, index) => like(field, given[index] ?? ''))
}

/** Tries everything. */
export function like(symbols: readonly string[], value: string): boolean {
  const [symbol, ...rest] = symbols
  if (symbol === undefined) return value === ''
  if (symbol === '*') return like(rest, value) || (value !== '' && like(symbols, value.slice(1)))
  const fits = symbol === '?' || symbol.slice(-1) === value[0]
  return value !== '' && fits && like(rest, value.slice(1))
}
