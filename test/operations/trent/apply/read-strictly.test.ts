/** Checks documents against their shapes; the error names the first fault and its place. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentMember } from '../../../../src/operations/trent/apply/check-document.ts'
import { documentShape } from '../../../../src/operations/trent/apply/document.ts'
import { readStrictly } from '../../../../src/operations/trent/apply/read-strictly.ts'
import { recordedChanges } from '../../../../src/operations/trent/apply/summary.ts'

const account = (rest: object): object => ({ accounts: [{ accountId: '111122223333', ...rest }] })
const key = (rest: object): object =>
  account({ keys: [{ keyId: '11111111-2222-4333-8444-555555555555', ...rest }] })

function refused(document: unknown, message: string): void {
  assert.throws(() => readStrictly(documentShape, document), {
    code: 'ValidationException',
    message,
  })
}

test('a document is read to what it says, material as bytes', () => {
  const { accounts } = readStrictly(documentShape, key({ material: 'AAEC', tags: { a: 'b' } }))
  const [read] = accounts[0]?.keys ?? []
  assert.deepEqual(read?.material, Buffer.from([0, 1, 2]))
  assert.equal(read?.tags?.['a'], 'b')
})

test('the first fault is told with its place', () => {
  refused(null, '# must hold names and values')
  refused([], '# must hold names and values')
  refused({}, '#/accounts is needed')
  refused({ accounts: {} }, '#/accounts must be a list')
  refused({ accounts: [null] }, '#/accounts/0 must not be empty')
  refused({ accounts: [], more: 1 }, '#/more has the unknown name `more`; possible: accounts')
  refused({ accounts: [], ['a/b']: 1 }, '#/a%2Fb has the unknown name `a/b`; possible: accounts')
  refused({ accounts: [{}] }, '#/accounts/0/accountId is needed')
  refused(
    { accounts: [{ accountId: 1 }] },
    '#/accounts/0/accountId must be a string: quote values such as 123 or true',
  )
  refused({ accounts: [{ accountId: 'x' }] }, '#/accounts/0/accountId `x` must match ^[0-9]{12}$')
  refused(account({ users: [{}] }), '#/accounts/0/users/0/name is needed')
  refused(
    account({ users: [{ name: '' }] }),
    '#/accounts/0/users/0/name `` must have a length of at least 1',
  )
  refused(account({ users: 1 }), '#/accounts/0/users must be a list')
  refused(
    account({ users: [{ name: 'a', tags: { a: 5 } }] }),
    '#/accounts/0/users/0/tags/a must be a string: quote values such as 123 or true',
  )
  refused(
    account({ users: [{ name: 'a', policies: [] }] }),
    '#/accounts/0/users/0/policies must hold names and values',
  )
  refused(key({ enabled: 'yes' }), '#/accounts/0/keys/0/enabled must be true or false')
  refused(
    key({ rotationPeriodInDays: 1.5 }),
    '#/accounts/0/keys/0/rotationPeriodInDays must be a whole number',
  )
  refused(
    key({ rotationPeriodInDays: 1 }),
    '#/accounts/0/keys/0/rotationPeriodInDays `1` must be at least 90',
  )
  refused(key({ material: 'not base64!' }), '#/accounts/0/keys/0/material must be base64')
  refused(
    key({ earlierMaterials: ['AAAA', '*'] }),
    '#/accounts/0/keys/0/earlierMaterials/1 must be base64',
  )
  refused(
    key({ aliases: ['alias/a', 'a b'] }),
    '#/accounts/0/keys/0/aliases/1 `a b` must match ^[a-zA-Z0-9:/_-]+$',
  )
  refused(key({ grants: [{ name: 'g', operations: ['Fly'] }] }), grantRefusal())
})

function grantRefusal(): string {
  const operations =
    'CreateGrant, Decapsulate, Decrypt, DeriveSharedSecret, DescribeKey, Encapsulate, Encrypt, ' +
    'GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, ' +
    'GenerateDataKeyWithoutPlaintext, GenerateMac, GetPublicKey, ReEncryptFrom, ReEncryptTo, ' +
    'RetireGrant, Sign, Verify, VerifyMac'
  return `#/accounts/0/keys/0/grants/0/operations/0 \`Fly\` must be one of ${operations}`
}

test('no refusal tells a secret or material', () => {
  const secret = 'a secret with spaces'
  refused(
    account({ accessKeys: [{ accessKeyId: 'AKIA', secretAccessKey: secret }] }),
    '#/accounts/0/accessKeys/0/secretAccessKey must match ^[\\u0021-\\u007E]+$',
  )
  refused(
    key({ material: 'A'.repeat(12_000) }),
    '#/accounts/0/keys/0/material must have a length of at most 6144',
  )
})

test('a document is bounded as a whole', () => {
  const users = Array.from({ length: 1999 }, (_, index) => ({ name: `user-${index}` }))
  assert.doesNotThrow(() => documentMember.read(account({ users }), '', []))
  users.push({ name: 'one-more' })
  assert.throws(() => documentMember.read(account({ users }), '', []), {
    message: '#/accounts/0 more than 2000 objects in one file',
  })
})

test('a record tells as many changes as fit, and how many there were', () => {
  const change = { change: 'create', type: 'user', name: 'n'.repeat(600) } as const
  const few = recordedChanges([change])
  assert.deepEqual(few, { changeCount: 1, changes: [change] })
  const many = recordedChanges(Array.from({ length: 2000 }, () => change))
  assert.equal(many['changeCount'], 2000)
  assert(JSON.stringify(many).length < 66 * 1024)
})
