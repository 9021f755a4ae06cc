/** Session tokens: what goes in comes out, for just its key, and what does not fit is refused. @module */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  createSessionTokens,
  sessionTokenCharactersMax,
} from '../../src/authenticate/session-tokens.ts'
import {
  accountOfSessionKey,
  sessionKeyId,
  SessionTooLarge,
  type Session,
} from '../../src/model/session.ts'
import { testKeyring, realRandom } from '../crypto/fixed.ts'

const tokens = createSessionTokens(testKeyring(), realRandom)

const session: Session = {
  kind: 'role',
  accountId: '000011112222',
  principalId: 'AROAEXAMPLEEXAMPLE234',
  name: 'ci',
  issuedAt: 1_790_000_000_123,
  expiresAt: 1_790_003_600_000,
  sourceAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  chained: true,
  policyIds: [],
  tags: [],
  transitiveTagKeys: [],
}

test('what a token holds is what was issued, and its secret signs', () => {
  const text = fc.string({ maxLength: 40, unit: 'binary' })
  const given = fc.record({
    kind: fc.constantFrom('role' as const, 'user' as const, 'federated' as const),
    name: text,
    chained: fc.boolean(),
    policyIds: fc.array(text, { maxLength: 3 }),
    tags: fc.array(fc.record({ Key: text, Value: text }, { noNullPrototype: true }), {
      maxLength: 3,
    }),
    transitiveTagKeys: fc.array(text, { maxLength: 3 }),
  })
  const optional = fc.record({ policy: text, sourceIdentity: text }, { requiredKeys: [] })
  fc.assert(
    fc.property(given, optional, (members, more) => {
      const whole: Session = { ...session, ...members, ...more }
      const { accessKeyId, plaintextSecret, token } = tokens.issue(whole)
      const opened = tokens.open(accessKeyId, token)
      assert.deepEqual(opened?.session, whole)
      const sign = (key: Parameters<typeof createHmac>[1]): string =>
        createHmac('sha256', key).update('x').digest('hex')
      assert.equal(sign(opened.signingSecret), sign(`AWS4${plaintextSecret}`))
    }),
  )
})

test('a token of another key, of another deployment or changed in any character opens nothing', () => {
  const { accessKeyId, token } = tokens.issue(session)
  assert.equal(tokens.open(tokens.issue(session).accessKeyId, token), undefined)
  assert.equal(createSessionTokens(testKeyring(), realRandom).open(accessKeyId, token), undefined)
  for (let at = 0; at < token.length; at += 1) {
    const changed = token[at] === 'A' ? 'B' : 'A'
    const text = token.slice(0, at) + changed + token.slice(at + 1)
    assert.equal(tokens.open(accessKeyId, text), undefined, `character ${at}`)
  }
  for (const wrong of ['', 'A', token.slice(1), `${token}A`, 'A'.repeat(5000), '\u0000']) {
    assert.equal(tokens.open(accessKeyId, wrong), undefined)
  }
})

test('a token has as many characters as were asked for, and never more than fit in a header', () => {
  for (const length of [0, 400, 1000, 4095, 4096]) {
    const { accessKeyId, token } = tokens.issue(session, length)
    assert(token.length >= length && token.length <= sessionTokenCharactersMax)
    assert.deepEqual(tokens.open(accessKeyId, token)?.session, session)
  }
  // What cannot be compressed, at its longest by far.
  const policy = randomBytes(2048).toString('base64').slice(0, 2048)
  const limited = tokens.issue({ ...session, policy })
  assert(limited.token.length <= sessionTokenCharactersMax)
  assert(limited.packedPercent > 40 && limited.packedPercent <= 100)
  assert.equal(tokens.issue(session).packedPercent, 0)
  const tags = Array.from({ length: 50 }, (_, index) => ({
    Key: `${index}-${randomBytes(48).toString('base64')}`,
    Value: randomBytes(180).toString('base64'),
  }))
  assert.throws(
    () => tokens.issue({ ...session, tags }),
    (error) => error instanceof SessionTooLarge && error.percent > 100,
  )
})

test('an access key id of a session tells its account, whatever it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (number) => {
      const account = String(number).padStart(12, '0')
      const id = sessionKeyId(account, randomBytes(8))
      assert.match(id, /^ASIA[A-Z2-7]{16}$/)
      assert.equal(accountOfSessionKey(id), account)
    }),
  )
  for (const wrong of [
    '',
    'AKIAIOSFODNN7EXAMPLE',
    'ASIA77777777AAAAAAAA',
    'ASIA1AAAAAAAAAAAAAAA',
  ]) {
    assert.equal(accountOfSessionKey(wrong), undefined)
  }
})
