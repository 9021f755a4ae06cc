/** Who calls a released server other than by access key: what `executable.test.ts` does with tokens and attestations. @module */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { GenerateRandomCommand, KMSClient } from '@aws-sdk/client-kms'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { audience, newPair, startIssuer, type Issuer } from '../authenticate/issuer.ts'
import { attest, createAttester, recipient } from '../crypto/attestation/attester.ts'
import { openByPkijs } from '../crypto/attestation/open-sealed.ts'
import { freePort, type Settings } from '../start/serve-process.ts'

type Attester = Awaited<ReturnType<typeof createAttester>>

interface Clients {
  readonly iam: IAMClient
  readonly sts: STSClient
  readonly kms: KMSClient
}

/** A provider and an attester that a server with these settings trusts. `trent certificate` makes its certificate. */
export async function outside(t: TestContext, folder: string) {
  const [issuer, attester] = await Promise.all([startIssuer(), createAttester()])
  t.after(() => issuer.close())
  const roots = join(folder, 'roots.pem')
  writeFileSync(roots, new X509Certificate(attester.root.der).toString())
  const environment: Settings = {
    ...freePort(folder),
    TRENT_TLS_CERT: join(folder, 'tls', 'server.pem'),
    TRENT_TLS_KEY: join(folder, 'tls', 'server.key'),
    TRENT_WEB_IDENTITY_HOSTS: issuer.host,
    TRENT_ATTESTATION_ROOTS: roots,
  }
  return { issuer, attester, environment }
}

/** Clients that trust the authority that `trent certificate` made. */
export function clientsOf(
  t: TestContext,
  of: {
    readonly endpoint: string
    readonly folder: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  },
): Clients {
  const { endpoint, folder, credentials } = of
  const ca = readFileSync(join(folder, 'tls', 'ca.pem'))
  const requestHandler = { httpsAgent: new Agent({ ca }) }
  const common = { endpoint, region: 'us-west-2', maxAttempts: 1, requestHandler, credentials }
  const [iam, sts, kms] = [new IAMClient(common), new STSClient(common), new KMSClient(common)]
  t.after(() => [iam, sts, kms].forEach((client) => client.destroy()))
  return { iam, sts, kms }
}

/** A token of the provider gets a session. One that another key signed is refused. */
export async function letsInByToken({ iam, sts }: Clients, issuer: Issuer): Promise<void> {
  const provider = { Url: issuer.url, ClientIDList: [audience] }
  const made = await iam.send(new CreateOpenIDConnectProviderCommand(provider))
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: made.OpenIDConnectProviderArn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${issuer.host}:sub`]: 'job-1' } },
  }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement })
  const role = new CreateRoleCommand({ RoleName: 'job', AssumeRolePolicyDocument })
  const RoleArn = (await iam.send(role)).Role?.Arn
  const assume = (WebIdentityToken: string) => {
    const input = { RoleArn, RoleSessionName: 'ci', WebIdentityToken }
    return sts.send(new AssumeRoleWithWebIdentityCommand(input))
  }
  const { AssumedRoleUser } = await assume(await issuer.sign())
  assert.match(AssumedRoleUser?.Arn ?? '', /:assumed-role\/job\/ci$/)
  const refusal = { name: 'InvalidIdentityTokenException' }
  await assert.rejects(assume(await issuer.sign({}, newPair())), refusal)
}

/** An attested recipient gets what it alone opens. One whose certificates lead elsewhere is refused. */
export async function answersAttested({ kms }: Clients, attester: Attester): Promise<void> {
  const random = (AttestationDocument: Uint8Array) => {
    const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument } as const
    return kms.send(new GenerateRandomCommand({ NumberOfBytes: 32, Recipient }))
  }
  const { Plaintext, CiphertextForRecipient } = await random(attest(attester))
  assert.equal(Plaintext, undefined)
  const opened = await openByPkijs(CiphertextForRecipient ?? assert.fail(), recipient.privateKey)
  assert.equal(opened.length, 32)
  const stranger = attest(await createAttester())
  await assert.rejects(random(stranger), {
    name: 'ValidationException',
    message: /the attestation document is refused/,
  })
}
