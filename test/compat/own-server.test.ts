/** Quotas and the deployment by own credentials: who may ask, and what an answer never shows. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import type { Deployment } from '../../src/operations/trent/get-deployment.ts'
import type { QuotasAnswer } from '../../src/operations/trent/shown-quotas.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, credentials, databaseUrlOf, region } from '../harness.ts'
import { openIdentities, type Credentials } from './identities.ts'
import { askOwn } from './own-paths.ts'
import { makeKey } from './sdk.ts'
import type { HttpAnswer } from './signed-http.ts'

const settings = { TRENT_QUOTAS: 'aws', TRENT_QUOTA_OVERRIDES: 'keys=7,CreateAlias=3' }
const { root, newUser, server } = await openIdentities({ after }, settings)

const ask = (path: string, by: Credentials = credentials): Promise<HttpAnswer> =>
  askOwn(server, path, {}, by)

async function otherAccount(): Promise<Credentials & { readonly accountId: string }> {
  return (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
}

async function quotas(by?: Credentials): Promise<QuotasAnswer> {
  const { status, text } = await ask('/_trent/quotas', by)
  assert.equal(status, 200, text)
  return JSON.parse(text) as QuotasAnswer
}

test('an account sees its quotas in the Region of the call, with its own usage only', async () => {
  await makeKey(root.kms)
  const own = await quotas()
  assert.deepEqual([own.profile, own.accountId, own.region], ['aws', accountId, region])
  assert.deepEqual(
    own.resources.find(({ name }) => name === 'keys'),
    { name: 'keys', limit: 7, used: 1 },
  )
  assert.equal(own.requests.find(({ group }) => group === 'CreateAlias')?.perSecond, 3)
  const other = await otherAccount()
  const theirs = await quotas(other)
  assert.equal(theirs.accountId, other.accountId)
  assert.equal(theirs.resources.find(({ name }) => name === 'keys')?.used, 0)
})

test('the first account sees the deployment; another account does not, whatever its policies', async () => {
  const { status, text } = await ask('/_trent/deployment')
  assert.equal(status, 200, text)
  const { seal, nodes, clock, startedAt, ...rest } = JSON.parse(text) as Deployment
  assert.deepEqual(seal, { kind: 'file', generation: 1, opensAlone: true, recovery: false })
  const isNode = databaseUrlOf(server.directory) !== undefined
  assert.deepEqual(
    nodes.map(({ self, state }) => ({ self, state })),
    isNode ? [{ self: true, state: 'serving' }] : [],
  )
  assert.ok(Date.parse(startedAt) <= Date.parse(clock.now))
  assert.deepEqual(Object.keys(rest), ['version'])
  const other = await otherAccount()
  const refused = await ask('/_trent/deployment', other)
  assert.equal(refused.status, 400)
  assert.match(refused.text, /AccessDeniedException.*only the account that the first start/)
})

test('each question needs its permission and a signature', async () => {
  const nobody = await newUser('nobody')
  const reader = await newUser('reader', { Action: 'console:GetDeployment' })
  for (const [path, action] of [
    ['/_trent/quotas', 'console:GetOwnQuotas'],
    ['/_trent/deployment', 'console:GetDeployment'],
  ] as const) {
    const { status, text } = await ask(path, nobody.credentials)
    assert.equal(status, 400)
    assert.match(text, new RegExp(`AccessDeniedException.*not authorized to perform: ${action}`))
    const headers = { 'content-type': 'application/json' }
    const unsigned = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: '{}' })
    assert.match(await unsigned.text(), /MissingAuthenticationTokenException/)
  }
  assert.equal((await ask('/_trent/deployment', reader.credentials)).status, 200)
  assert.equal((await ask('/_trent/quotas', reader.credentials)).status, 400)
})
