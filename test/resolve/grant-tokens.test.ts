import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring, createDomainKey } from '../../src/crypto/domain-keys.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import type { GrantRecord, GrantRef } from '../../src/model/grant.ts'
import type { KeyRecord, KeyRef } from '../../src/model/key.ts'
import { createGrantTokens, type GrantTokens } from '../../src/resolve/grant-tokens.ts'
import { createPages } from '../../src/operations/page-markers.ts'
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { newKey } from '../store/records.ts'

const random = { bytes: (length: number) => randomBytes(length), uuid: () => randomUUID() }

function newKeyring(deploymentId = 'one', rootKey = randomBytes(32)): Keyring {
  const secret = createSecretKey(rootKey)
  const wrapped = createDomainKey(secret, deploymentId, 1, random)
  const domainKeys = [{ version: 1, wrapped, createdAt: 0 }]
  return openKeyring(secret, deploymentId, domainKeys, random)
}

const grant: GrantRecord = {
  accountId: '111122223333',
  region: 'us-west-2',
  keyId: 'k',
  grantId: 'a'.repeat(64),
  granteePrincipal: 'arn:aws:iam::444455556666:role/a/b',
  granteeId: 'AROA',
  issuingAccountId: '111122223333',
  operations: ['Encrypt'],
  createdAt: 1,
  rowVersion: 1,
}

/** Tokens over the grants of `stored`, which may change. */
function over(keyring: Keyring, stored: readonly GrantRecord[], keyIsThere = true): GrantTokens {
  const key = { record: newKey('k') as KeyRecord, policy: { statements: [] } }
  const grantsOf = ({ accountId, region, keyId }: KeyRef): readonly GrantRecord[] =>
    stored.filter(
      (one) => one.accountId === accountId && one.region === region && one.keyId === keyId,
    )
  const lookup = {
    key: () => (keyIsThere ? key : undefined),
    grant: (ref: GrantRef) => grantsOf(ref).find(({ grantId }) => grantId === ref.grantId),
  }
  return createGrantTokens(keyring, lookup)
}

const invalid = { code: 'InvalidGrantTokenException', message: '' }

test('a token finds its grant, among those of a principal and of a service', async () => {
  const { granteePrincipal: _, granteeId: __, ...rest } = grant
  const service = { ...rest, grantId: 'b'.repeat(64), granteeServicePrincipal: 's3.amazonaws.com' }
  const tokens = over(newKeyring(), [grant, service])
  for (const one of [grant, service]) {
    const [first, second] = [tokens.seal(one), tokens.seal(one)]
    assert.notEqual(first, second)
    for (const token of [first, second]) {
      assert.equal(await tokens.find(token, 'us-west-2'), one)
    }
  }
})

test('a token finds its grant when the grantee has another name since', async () => {
  const stored = [grant]
  const tokens = over(newKeyring(), stored)
  const token = tokens.seal(grant)
  const renamed = { ...grant, granteePrincipal: 'arn:aws:iam::444455556666:user/renamed' }
  stored[0] = renamed
  assert.equal(await tokens.find(token, 'us-west-2'), renamed)
})

test('a token of a grant that is gone, or is of another Region, is none', async () => {
  const stored = [grant]
  const tokens = over(newKeyring(), stored)
  const token = tokens.seal(grant)
  await assert.rejects(async () => tokens.find(token, 'eu-north-1'), invalid)
  stored.length = 0
  await assert.rejects(async () => tokens.find(token, 'us-west-2'), invalid)
  stored.push({ ...grant, grantId: 'c'.repeat(64) })
  await assert.rejects(async () => tokens.find(token, 'us-west-2'), invalid)
})

test('a token that is changed, cut, of another deployment or of another purpose is none', async () => {
  const keyring = newKeyring()
  const tokens = over(keyring, [grant])
  const token = tokens.seal(grant)
  for (let place = 0; place < token.length; place += 1) {
    const other = token[place] === 'A' ? 'B' : 'A'
    const changed = `${token.slice(0, place)}${other}${token.slice(place + 1)}`
    await assert.rejects(async () => tokens.find(changed, 'us-west-2'), invalid)
  }
  const marker = createPages(keyring).seal('', JSON.stringify(['111122223333']))
  const elsewhere = [newKeyring('two'), newKeyring('one')].map((ring) => over(ring, []).seal(grant))
  for (const wrong of ['', 'x', token.slice(1), `${token}=`, ` ${token}`, marker, ...elsewhere]) {
    await assert.rejects(async () => tokens.find(wrong, 'us-west-2'), invalid)
  }
})

test('a token of a key that was deleted is none, whatever is remembered of its grants', async () => {
  const keyring = newKeyring()
  const token = over(keyring, [grant]).seal(grant)
  const tokens = over(keyring, [grant], false)
  await assert.rejects(async () => tokens.find(token, 'us-west-2'), invalid)
})
