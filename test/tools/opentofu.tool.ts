/** The guide to OpenTofu, which encrypts its states and plans with data keys. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from '../guides/guide.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const opentofu = await installed({
  name: 'opentofu',
  toolchain: ['go version'],
  sources: 'opentofu',
  fetch: ['go mod download'],
  build: ['go build -p 1 -o bin/tofu github.com/opentofu/opentofu/cmd/tofu'],
})

test(
  'OpenTofu encrypts its states and plans, and is refused without permission',
  { skip: clients.skip || opentofu.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/opentofu.md', [clients, opentofu])
    const calls = (await recordsOf(server.directory)).filter(({ userIdentity }) =>
      String(userIdentity['arn']).endsWith(':user/deployer'),
    )
    const outcomes = new Set(
      calls.map(({ eventName, errorCode }) => `${eventName} ${errorCode ?? 'done'}`),
    )
    for (const outcome of ['GenerateDataKey done', 'Decrypt done', 'GenerateDataKey AccessDenied'])
      assert.ok(outcomes.has(outcome), `${outcome}: ${[...outcomes].join(', ')}`)
  },
)
