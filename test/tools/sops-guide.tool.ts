/** The guide to sops in a git repository, with a job that has nothing but a token. @module */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startIssuer } from '../authenticate/issuer.ts'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from '../guides/guide.ts'
import { accountId } from '../harness.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { sops } from './sops.ts'

const clients = await pythonClients()

test(
  'a repository keeps secrets that editors change and a job reads by its token',
  { skip: clients.skip || sops.skip },
  async (t) => {
    const issuer = await startIssuer()
    t.after(() => issuer.close())
    const token = join(temporaryFolder(t), 'token')
    const claims = { aud: 'sts.trent.example', sub: 'repo:acme/shop:environment:production' }
    await writeFile(token, await issuer.sign(claims))
    const { server } = await followGuide(t, 'docs/guides/sops.md', [clients, sops], {
      settings: { TRENT_WEB_IDENTITY_HOSTS: issuer.host },
      stands: {
        'https://token.actions.githubusercontent.com': issuer.url,
        'token.actions.githubusercontent.com': issuer.host,
        '000000000000': accountId,
        'TOKEN_FILE=token': `TOKEN_FILE='${token}'`,
      },
      fails: ['sh check-secrets'],
    })
    const calls = (await recordsOf(server.directory)).map(
      ({ userIdentity, eventName, errorCode }) =>
        `${String(userIdentity['arn']).split(/[:/]/).at(-2)} ${eventName} ${errorCode ?? 'done'}`,
    )
    for (const call of ['deployer Decrypt done', 'deployer Encrypt AccessDenied'])
      assert.ok(calls.includes(call), `${call}: ${[...new Set(calls)].join(', ')}`)
  },
)
