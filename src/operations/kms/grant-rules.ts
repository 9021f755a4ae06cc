/**
 * Rules for the contents of a grant, with AWS's messages where they are known.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations
 * @module
 */
import { keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { GrantConstraints, GrantOperation } from '../../model/grant.ts'
import type { KeyRecord, KeyRef, KeyUsage } from '../../model/key.ts'
import type { StoreReads } from '../../store/store.ts'
import type { ResourceQuotas } from '../../throttle/profiles.ts'
import { requireUnderQuota } from './resource-quota.ts'

const contextPairsMax = 8
const contextTextMax = 384

interface Requested {
  readonly GranteePrincipal?: string
  readonly GranteeServicePrincipal?: string
  readonly RetiringPrincipal?: string
  readonly RetiringServicePrincipal?: string
  readonly Operations: readonly GrantOperation[]
  readonly Constraints?: GrantConstraints
}

/** Checks of a request for a grant that need no key. @throws {KmsError} `ValidationException` */
export function checkGrant(input: Requested): void {
  const { GranteePrincipal, GranteeServicePrincipal, Operations, Constraints } = input
  const { RetiringPrincipal, RetiringServicePrincipal } = input
  if ((GranteePrincipal === undefined) === (GranteeServicePrincipal === undefined)) {
    throw invalid('exactly one of `GranteePrincipal` and `GranteeServicePrincipal` is needed')
  }
  if (RetiringPrincipal !== undefined && RetiringServicePrincipal !== undefined) {
    throw invalid('only one of `RetiringPrincipal` and `RetiringServicePrincipal` can be given')
  }
  if (GranteeServicePrincipal !== undefined) {
    const retiring = RetiringPrincipal ?? RetiringServicePrincipal
    if (Constraints?.SourceArn === undefined || retiring === undefined) {
      throw invalid(
        '`GranteeServicePrincipal` needs a `SourceArn` in `Constraints`, and a ' +
          '`RetiringPrincipal` or a `RetiringServicePrincipal`',
      )
    }
  }
  if (Operations.length === 0) throw invalid('`Operations` must not be empty')
  if (Operations.every((name) => name === 'CreateGrant')) {
    throw invalid('Grants must not contain only the CreateGrant operation.')
  }
  checkConstraints(Constraints)
}

/**
 * Removes an empty context constraint if the other one is set. Clients that hold both as maps send the
 * unused one as an empty map.
 */
export function normalizedConstraints(
  constraints: GrantConstraints | undefined,
): GrantConstraints | undefined {
  if (constraints === undefined) return undefined
  const {
    EncryptionContextEquals: equals,
    EncryptionContextSubset: subset,
    ...others
  } = constraints
  if (equals === undefined || subset === undefined) return constraints
  if (isEmpty(equals) === isEmpty(subset)) return constraints
  return isEmpty(equals)
    ? { ...others, EncryptionContextSubset: subset }
    : { ...others, EncryptionContextEquals: equals }
}

function isEmpty(context: Readonly<Record<string, string>>): boolean {
  return Object.keys(context).length === 0
}

function checkConstraints(given: GrantConstraints | undefined): void {
  const constraints = normalizedConstraints(given) ?? {}
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints
  if (equals !== undefined && subset !== undefined) {
    throw invalid('More than one constraint supplied')
  }
  const pairs = Object.entries(equals ?? subset ?? {})
  if (pairs.length > contextPairsMax) {
    throw invalid(`a grant constraint has at most ${contextPairsMax} encryption context pairs`)
  }
  if (pairs.some((pair) => pair.some((text) => text.length > contextTextMax))) {
    throw invalid(
      `the encryption context of a grant constraint has keys and values of at most ` +
        `${contextTextMax} characters`,
    )
  }
}

const always: readonly GrantOperation[] = ['CreateGrant', 'RetireGrant', 'DescribeKey']

const byUsage: Readonly<Record<KeyUsage, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate'],
}

const dataKeys: readonly GrantOperation[] = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]

/** The operations that a grant on this kind of key can allow. */
export function grantableOn(key: Pick<KeyRecord, 'spec' | 'usage'>): readonly GrantOperation[] {
  const own = byUsage[key.usage]
  if (key.spec === 'SYMMETRIC_DEFAULT') return [...always, ...own, ...dataKeys]
  if (keySpecs[key.spec].kind === 'asymmetric') return [...always, 'GetPublicKey', ...own]
  return [...always, ...own]
}

/** Checks that the key supports the granted operations. @throws {KmsError} `ValidationException` */
export function requireGrantable(
  key: Pick<KeyRecord, 'spec' | 'usage'>,
  operations: readonly GrantOperation[],
  constraints: GrantConstraints | undefined,
): void {
  const valid = grantableOn(key)
  const wrong = operations.filter((name) => !valid.includes(name))
  if (wrong.length > 0) {
    const kind = keySpecs[key.spec].kind === 'asymmetric' ? 'an asymmetric' : 'a symmetric'
    throw invalid(
      `Operations [${wrong.join(', ')}] are not supported when creating a grant for ${kind} KMS ` +
        `key with key usage ${key.usage}. Valid operations are [${valid.join(', ')}]`,
    )
  }
  const context = constraints?.EncryptionContextEquals ?? constraints?.EncryptionContextSubset
  if (context !== undefined && key.spec !== 'SYMMETRIC_DEFAULT') {
    throw invalid(
      'EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.',
    )
  }
}

/**
 * @throws {KmsError} `LimitExceededException` when `key` or the grantee has the maximum number of grants
 */
export async function requireGrantQuota(
  store: Pick<StoreReads, 'countGrants'>,
  key: KeyRef,
  grantee: string,
  { grantsPerKey, grantsPerPrincipal }: ResourceQuotas,
): Promise<void> {
  await requireUnderQuota(grantsPerKey, () => store.countGrants(key), 'Grants per key quota')
  await requireUnderQuota(
    grantsPerPrincipal,
    () => store.countGrants(key, grantee),
    'Grants for a given principal per key quota',
  )
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
