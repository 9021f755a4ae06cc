/**
 * Price lists for usage reports: AWS's prices by the rules of 2015 and of today, or the operator's own.
 * The amounts are those that AWS publishes for most of its Regions. Check them before you charge
 * anybody.
 * @see https://aws.amazon.com/kms/pricing/
 * @module
 */

export interface PriceList {
  readonly name: string
  readonly currency: string
  /** Price of a key for a whole month; a part of a month costs that part. */
  readonly keyMonth: number
  /** A key is charged for in these states. */
  readonly chargedStates: readonly string[]
  /** The number of rotations that are each charged like another key. */
  readonly rotationsCharged: number
  /** Free requests of a month; only rules marked `free` use them. */
  readonly freeRequests: number
  /** The first rule that matches a request gives its price. */
  readonly requests: readonly RequestPrice[]
}

export interface RequestPrice {
  /**
   * Matches by prefix: `GenerateDataKeyPair RSA` matches RSA pairs. Matches every operation when left
   * out.
   */
  readonly operation?: string
  /** Prefix of the key's spec. Matches every request when left out, with or without a key. */
  readonly keySpec?: string
  readonly per10000: number
  readonly free: boolean
}

export const priceLists: Readonly<Record<'2015' | 'today', PriceList>> = {
  '2015': {
    name: '2015',
    currency: 'USD',
    keyMonth: 1,
    chargedStates: ['Enabled'],
    rotationsCharged: Infinity,
    freeRequests: 20_000,
    requests: [{ per10000: 0.03, free: true }],
  },
  today: {
    name: 'today',
    currency: 'USD',
    keyMonth: 1,
    chargedStates: ['Creating', 'Enabled', 'Disabled', 'PendingImport', 'Unavailable', 'Updating'],
    rotationsCharged: 2,
    freeRequests: 20_000,
    requests: [
      { operation: 'GenerateDataKeyPair RSA', per10000: 12, free: false },
      { operation: 'GenerateDataKeyPairWithoutPlaintext RSA', per10000: 12, free: false },
      { operation: 'GenerateDataKeyPair', per10000: 0.1, free: false },
      { keySpec: 'RSA_2048', per10000: 0.03, free: false },
      ...['RSA_', 'ECC_', 'ML_', 'SM2'].map((keySpec) => ({
        keySpec,
        per10000: 0.15,
        free: false,
      })),
      { per10000: 0.03, free: true },
    ],
  },
}

/** A price list is not valid; the message says where. */
export class PriceListError extends Error {}

/**
 * Reads an operator's price list from JSON with the members of `PriceList`. @throws {PriceListError}
 */
export function readPriceList(text: string): PriceList {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    throw new PriceListError('it is not valid JSON', { cause })
  }
  const list = members(given, 'it')
  const requests = list['requests']
  if (!Array.isArray(requests)) throw new PriceListError('`requests` must be a list')
  return {
    name: textOf(list, 'name'),
    currency: textOf(list, 'currency'),
    keyMonth: amountOf(list, 'keyMonth'),
    chargedStates: textsOf(list, 'chargedStates'),
    rotationsCharged: amountOf(list, 'rotationsCharged'),
    freeRequests: amountOf(list, 'freeRequests'),
    requests: requests.map((each: unknown, index) => {
      const price = members(each, `requests[${index}]`)
      return {
        ...(price['operation'] !== undefined && { operation: textOf(price, 'operation') }),
        ...(price['keySpec'] !== undefined && { keySpec: textOf(price, 'keySpec') }),
        per10000: amountOf(price, 'per10000'),
        free: price['free'] === true,
      }
    }),
  }
}

type Given = Readonly<Record<string, unknown>>

function members(value: unknown, what: string): Given {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new PriceListError(`${what} must be an object`)
}

function textOf(list: Given, name: string): string {
  const value = list[name]
  if (typeof value === 'string') return value
  throw new PriceListError(`\`${name}\` must be a text`)
}

function textsOf(list: Given, name: string): readonly string[] {
  const value = list[name]
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw new PriceListError(`\`${name}\` must be a list of texts`)
}

function amountOf(list: Given, name: string): number {
  const value = list[name]
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new PriceListError(`\`${name}\` must be a number of at least 0`)
}
