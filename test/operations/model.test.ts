/**
 * Compares the declared operations with AWS's model, and the registry with the files.
 * Source: the `kms-2014-11-01` model, if it lies next to the checkout.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Member, Members } from '../../src/model/shape.ts'
import type { Operation } from '../../src/operations/contract/operation.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'

const modelFile = new URL('../../../shared/spec/kms-2014-11-01.model.json', import.meta.url)
const folder = new URL('../../src/operations/kms/', import.meta.url)

interface ModelShape {
  readonly type: string
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly sensitive?: boolean
  readonly member?: { readonly shape: string }
  readonly members?: Readonly<Record<string, { readonly shape: string }>>
  readonly required?: readonly string[]
}

interface Model {
  readonly operations: Readonly<Record<string, { readonly input: { readonly shape: string } }>>
  readonly shapes: Readonly<Record<string, ModelShape>>
}

/** A member in one notation for both sides. */
type Described = { readonly [name: string]: unknown }

const signingAlgorithms = [
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_PH_SHA_512',
  'ED25519_SHA_512',
  'ML_DSA_SHAKE_256',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'SM2DSA',
  'SYMMETRIC_DEFAULT',
]

const ascii = { pattern: '^\\p{ASCII}+$' }

/**
 * Intended differences from the model, by operation and member. Each must really differ.
 */
const differences: Readonly<Record<string, Described>> = {
  // AWS was observed to check and print this pattern for key identifiers; the model does not have it.
  ...Object.fromEntries(
    [...kmsRegistry.values()].flatMap(({ name, input }) =>
      ['KeyId', 'TargetKeyId', 'SourceKeyId', 'DestinationKeyId']
        .filter((member) => Object.hasOwn(input, member))
        .map((member) => [`${name}.${member}`, ascii]),
    ),
  ),
  // Accepted, and then incompatible with every signing key, as observed at AWS.
  'Sign.SigningAlgorithm': { values: signingAlgorithms },
  'Verify.SigningAlgorithm': { values: signingAlgorithms },
  // The service accepts less than its model.
  'ScheduleKeyDeletion.PendingWindowInDays': { min: 7, max: 30 },
  'ListAliases.Limit': { max: 100 },
  'ListResourceTags.Limit': { max: 50 },
  'ListGrants.Limit': { max: 100 },
  'ListRetirableGrants.Limit': { max: 100 },
  // The model has no limit here; Trent limits everything that a caller controls.
  'CreateKey.Tags': { max: 1000 },
  'ReplicateKey.Tags': { max: 1000 },
  'TagResource.Tags': { max: 1000 },
  'UntagResource.TagKeys': { max: 1000 },
  'CreateGrant.Operations': { max: 100 },
  'Decrypt.DryRunModifiers': { max: 10 },
  'ReEncrypt.DryRunModifiers': { max: 10 },
}

function describeModel(model: Model, shapeName: string): Described {
  const shape = model.shapes[shapeName]
  assert(shape, shapeName)
  const { type, min, max, pattern, member } = shape
  return trimmed({
    type,
    min,
    max,
    pattern,
    values: shape.enum && [...shape.enum].sort(),
    sensitive: shape.sensitive === true,
    // Maps of strings have one declaration; their values have no limits in the model.
    member: member && describeModel(model, member.shape),
    members:
      shape.members &&
      Object.fromEntries(
        Object.entries(shape.members).map(([name, { shape: inner }]) => [
          name,
          {
            ...describeModel(model, inner),
            required: shape.required?.includes(name) === true,
          },
        ]),
      ),
  })
}

function describeMember(member: Member<unknown>): Described {
  const { type, min, max, pattern, values, members } = member.limits
  return trimmed({
    type,
    min,
    max,
    pattern,
    values: values && [...values].sort(),
    sensitive: member.hidden === 'sensitive',
    member:
      type === 'map' || member.limits.member === undefined
        ? undefined
        : describeMember(member.limits.member),
    members: members && describeMembers(members),
  })
}

function describeMembers(members: Members): Described {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [
      name,
      { ...describeMember(member), required: member.required },
    ]),
  )
}

/** Without undefined entries and minimums of 0. */
function trimmed(described: Described): Described {
  return Object.fromEntries(
    Object.entries(described).filter(
      ([name, value]) => value !== undefined && !(name === 'min' && value === 0),
    ),
  )
}

function expectedInput(model: Model, operation: Operation): Described {
  const input = model.operations[operation.name]?.input.shape
  assert(input, `${operation.name} is in the model`)
  const { members } = describeModel(model, input) as { members?: Record<string, Described> } // of a structure
  return Object.fromEntries(
    Object.entries(members ?? {}).map(([name, described]) => {
      const difference = differences[`${operation.name}.${name}`] ?? {}
      for (const [limit, value] of Object.entries(difference)) {
        assert.notDeepEqual(
          described[limit],
          value,
          `${operation.name}.${name} differs in ${limit}`,
        )
      }
      return [name, { ...described, ...difference }]
    }),
  )
}

const model = existsSync(modelFile)
  ? (JSON.parse(readFileSync(modelFile, 'utf8')) as Model) // its form is the format's
  : undefined
const skip = model === undefined ? `no model at ${modelFile.pathname}` : false

const kmsOperations = [...kmsRegistry.values()].filter(({ service }) => service === 'kms')

for (const operation of kmsOperations) {
  test(
    `${operation.name} declares the members, limits and enums of the service's model`,
    {
      skip,
    },
    () => {
      assert(model)
      assert.deepEqual(describeMembers(operation.input), expectedInput(model, operation))
    },
  )
}

test('every difference from the model is of a member that is declared', () => {
  for (const name of Object.keys(differences)) {
    const [operation = '', member = ''] = name.split('.')
    assert(Object.hasOwn(kmsRegistry.get(`kms:${operation}`)?.input ?? {}, member), name)
  }
})

test('the registry holds each operation under its service and name', () => {
  for (const [key, { service, name }] of kmsRegistry) assert.equal(key, `${service}:${name}`)
  for (const hostile of ['kms:constructor', 'kms:__proto__', 'kms:encrypt', 'Encrypt', 'kms:']) {
    assert.equal(kmsRegistry.get(hostile), undefined)
  }
})

test('every operation is in the file and under the export of its name', async () => {
  for (const operation of kmsOperations) {
    const kebab = operation.name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()
    const camel = operation.name.charAt(0).toLowerCase() + operation.name.slice(1)
    const file = new URL(`${kebab}.ts`, folder)
    assert(existsSync(file), file.pathname)
    const module = (await import(file.href)) as Record<string, unknown>
    assert.equal(module[camel], operation)
  }
})

test('every file that declares an operation is in the registry', () => {
  const declaring = readdirSync(folder).filter((file) =>
    readFileSync(new URL(file, folder), 'utf8').includes('= operation<'),
  )
  assert.equal(declaring.length, kmsOperations.length)
})

test('no operation lets a secret, a ciphertext or a grant token into its audit record', () => {
  for (const { name, audit, input } of kmsOperations) {
    for (const member of audit) {
      const declared = input[member]
      assert(declared, `${name} audits ${member}, which it does not declare`)
      assert.equal(declared.hidden, 'shown', `${name}.${member}`)
      assert.notEqual(member, 'GrantTokens')
      assert.notEqual(member, 'Recipient')
    }
  }
})

test('every operation that takes a Recipient says what is sealed for it, and no other does', () => {
  const taking = kmsOperations.filter(({ input }) => 'Recipient' in input)
  const sealing = kmsOperations.filter(({ recipient }) => recipient !== undefined)
  assert.deepEqual(sealing, taking)
  assert(sealing.length >= 3)
  for (const { name, recipient = '' } of sealing) {
    assert(['Plaintext', 'PrivateKeyPlaintext', 'SharedSecret'].includes(recipient), name)
  }
})

/** Operations with other permissions than the one of their name. */
const askedElsewise: Readonly<Record<string, readonly string[]>> = {
  CreateCustomKeyStore: ['kms:CreateCustomKeyStore', 'cloudhsm:DescribeClusters'],
  ReEncrypt: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  ReplicateKey: ['kms:ReplicateKey', 'kms:CreateKey'],
}

test('every operation asks for a permission', () => {
  for (const operation of kmsOperations) {
    const { name, keys } = operation
    const asked = [
      ...Object.values(keys).map(({ action }) => action),
      ...(operation.permissions?.({}) ?? []).map(({ action }) => action),
    ]
    assert(asked.length > 0, name)
    assert.deepEqual([...new Set(asked)], askedElsewise[name] ?? [`kms:${name}`])
  }
})
