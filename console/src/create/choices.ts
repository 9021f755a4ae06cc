/** What the wizard asks, and what follows from the answers. @module */
import type { CreateKeyCommandInput, KeySpec, KeyUsageType, OriginType } from '@aws-sdk/client-kms'
import type { TagEntry } from '../key/tag-fields.tsx'
import type { KeyTraits, PolicyChoice } from '../policy/console-policy.ts'

export interface Choices extends PolicyChoice {
  readonly type: 'symmetric' | 'asymmetric'
  readonly usage: KeyUsageType
  readonly spec: KeySpec
  readonly origin: OriginType
  readonly store: string
  readonly xksKeyId: string
  readonly multiRegion: boolean
  readonly alias: string
  readonly description: string
  readonly tags: readonly TagEntry[]
  /** The policy as edited by hand; otherwise it follows from the choices. */
  readonly policy?: string | undefined
}

export const firstChoices: Choices = {
  type: 'symmetric',
  usage: 'ENCRYPT_DECRYPT',
  spec: 'SYMMETRIC_DEFAULT',
  origin: 'AWS_KMS',
  store: '',
  xksKeyId: '',
  multiRegion: false,
  alias: '',
  description: '',
  tags: [],
  admins: [],
  adminsDelete: true,
  users: [],
  accounts: [],
}

const rsa: readonly KeySpec[] = ['RSA_2048', 'RSA_3072', 'RSA_4096']
const nist: readonly KeySpec[] = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521']

export function usagesOf(type: Choices['type']): readonly KeyUsageType[] {
  return type === 'symmetric'
    ? ['ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC']
    : ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT', 'ENCAPSULATE_DECAPSULATE']
}

export function specsOf({ type, usage }: Pick<Choices, 'type' | 'usage'>): readonly KeySpec[] {
  if (type === 'symmetric') {
    return usage === 'GENERATE_VERIFY_MAC'
      ? ['HMAC_256', 'HMAC_224', 'HMAC_384', 'HMAC_512']
      : ['SYMMETRIC_DEFAULT']
  }
  if (usage === 'ENCRYPT_DECRYPT') return rsa
  if (usage === 'KEY_AGREEMENT') return nist
  if (usage === 'ENCAPSULATE_DECAPSULATE') return ['ML_KEM_768', 'ML_KEM_512', 'ML_KEM_1024']
  return [
    ...nist,
    'ECC_NIST_EDWARDS25519',
    'ECC_SECG_P256K1',
    ...rsa,
    'ML_DSA_44',
    'ML_DSA_65',
    'ML_DSA_87',
  ]
}

/**
 * Custom key stores hold symmetric encryption keys of one Region only. Material of post-quantum keys cannot be
 * imported.
 */
export function originsOf({ spec, multiRegion }: Choices): readonly OriginType[] {
  if (spec.startsWith('ML_')) return ['AWS_KMS']
  const simple = spec === 'SYMMETRIC_DEFAULT' && !multiRegion
  return simple
    ? ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']
    : ['AWS_KMS', 'EXTERNAL']
}

/** Changes an answer, and those that no longer fit it. */
export function change(choices: Choices, answer: Partial<Choices>): Choices {
  let next = { ...choices, ...answer }
  const usages = usagesOf(next.type)
  if (!usages.includes(next.usage)) next = { ...next, usage: usages[0] ?? next.usage }
  const specs = specsOf(next)
  if (!specs.includes(next.spec)) next = { ...next, spec: specs[0] ?? next.spec }
  if (!originsOf(next).includes(next.origin)) next = { ...next, origin: 'AWS_KMS', store: '' }
  return next
}

export const inStore = ({ origin }: Choices): boolean =>
  origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE'

export function traitsOf({ spec, usage, origin, multiRegion }: Choices): KeyTraits {
  return { spec, usage, isImported: origin === 'EXTERNAL', isMultiRegion: multiRegion }
}

export function requestOf(choices: Choices, Policy: string): CreateKeyCommandInput {
  const { spec, usage, origin, store, xksKeyId, multiRegion, description, tags } = choices
  return {
    KeySpec: spec,
    KeyUsage: usage,
    Origin: origin,
    Policy,
    ...(multiRegion && { MultiRegion: true }),
    ...(inStore(choices) && { CustomKeyStoreId: store }),
    ...(origin === 'EXTERNAL_KEY_STORE' && { XksKeyId: xksKeyId }),
    ...(description !== '' && { Description: description }),
    ...(tags.length > 0 && {
      Tags: tags.map(({ key: TagKey, value: TagValue }) => ({ TagKey, TagValue })),
    }),
  }
}
