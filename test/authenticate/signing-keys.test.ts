import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import test from 'node:test'
import { createSigningKeys } from '../../src/authenticate/signing-keys.ts'

const secret = createSecretKey(Buffer.from('AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'))
const scope = { accessKeyId: 'AKIDEXAMPLE', date: '20150830', region: 'us-east-1', service: 'iam' }

test("the signing key of AWS's own example", () => {
  // The example of "Deriving the signing key" in the AWS General Reference.
  const expected = 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
  const key = createSigningKeys(1).of(scope, secret)
  assert.equal(key.export().toString('hex'), expected)
})

test('a signing key that was remembered is the same object, another is derived', () => {
  const keys = createSigningKeys(10)
  const key = keys.of(scope, secret)
  assert.notEqual(keys.of(scope, secret), key)
  keys.remember(scope, secret, key)
  assert.equal(keys.of(scope, secret), key)
  for (const change of [
    { accessKeyId: 'AKIDOTHER' },
    { date: '20150831' },
    { region: 'us-east-2' },
    { service: 'kms' },
  ]) {
    assert.notEqual(keys.of({ ...scope, ...change }, secret), key, JSON.stringify(change))
  }
})

test('a signing key of another secret is never used, though it be of the same bytes', () => {
  const keys = createSigningKeys(10)
  const key = keys.of(scope, secret)
  keys.remember(scope, secret, key)
  assert.notEqual(keys.of(scope, createSecretKey(secret.export())), key)
  const other = createSecretKey(Buffer.from('AWS4other'))
  assert.ok(!keys.of(scope, other).equals(key))
})

test('the signing key used longest ago is forgotten first', () => {
  const keys = createSigningKeys(2)
  const scopes = ['a', 'b', 'c'].map((accessKeyId) => ({ ...scope, accessKeyId }))
  const made = scopes.map((one) => keys.of(one, secret))
  const remember = (index: number): void => {
    const [one, key] = [scopes[index], made[index]]
    assert.ok(one !== undefined && key !== undefined)
    keys.remember(one, secret, key)
  }
  for (const index of [0, 1, 0, 2]) remember(index)
  const remembered = scopes.map((one, index) => keys.of(one, secret) === made[index])
  assert.deepEqual(remembered, [true, false, true])
})

test('the decoy of one server is not that of another', () => {
  assert.ok(!createSigningKeys(1).decoy.equals(createSigningKeys(1).decoy))
})
