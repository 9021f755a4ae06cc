/** A server with a key store in SoftHSM2, for tests of the wire. @module */
import { copyFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  type CreateCustomKeyStoreCommandInput,
  type CreateKeyCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { TokenKey } from '../../src/pkcs11/token-calls.ts'
import { createToken } from '../../src/pkcs11/token.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { clusterId, trustAnchor } from '../operations/kms/cluster-stores.ts'
import { pin, softHsm, type SoftHsm } from '../pkcs11/soft-hsm.ts'

export interface HsmWorld {
  readonly server: TestServer
  readonly kms: KMSClient
  readonly hsm: SoftHsm
}

/** The label of the token. */
export const tokenLabel = 'kms'

const anchorFile = new URL('../vectors/trust-anchors/1.pem', import.meta.url)

export const clusterSettings: CreateCustomKeyStoreCommandInput = {
  CustomKeyStoreName: 'hsm',
  CloudHsmClusterId: clusterId,
  TrustAnchorCertificate: trustAnchor,
  KeyStorePassword: pin,
}

/** The settings of a server that has one cluster. Further members are `name=value` pairs. */
export function hsmSettings(
  hsm: Pick<SoftHsm, 'library' | 'environment'>,
  directory: string,
  members: readonly string[] = [],
): Readonly<Record<string, string>> {
  const anchor = join(directory, 'customerCA.crt')
  copyFileSync(anchorFile, anchor)
  // The child process of the library gets these variables, and no others.
  Object.assign(process.env, hsm.environment)
  const all = [
    `library=${hsm.library}`,
    `token=${tokenLabel}`,
    `trust-anchor=${anchor}`,
    ...members,
  ]
  return {
    TRENT_HSM_CLUSTERS: `${clusterId}:${all.join(';')}`,
    TRENT_PKCS11_ENVIRONMENT: Object.keys(hsm.environment).join(','),
    TRENT_TEST_API: 'on',
  }
}

export async function startHsmWorld(
  t: TestContext,
  {
    hsm = softHsm(t),
    members = [],
    more = {},
  }: {
    readonly hsm?: SoftHsm
    readonly members?: readonly string[]
    readonly more?: Readonly<Record<string, string>>
  } = {},
): Promise<HsmWorld> {
  hsm.makeToken(tokenLabel)
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const settings = { ...hsmSettings(hsm, directory, members), ...more }
  const server = await startTestServer(settings, { directory })
  t.after(() => server.stop())
  return { server, kms: server.client(), hsm }
}

export async function makeClusterStore(
  kms: KMSClient,
  settings: Partial<CreateCustomKeyStoreCommandInput> = {},
): Promise<string> {
  const command = new CreateCustomKeyStoreCommand({ ...clusterSettings, ...settings })
  return String((await kms.send(command)).CustomKeyStoreId)
}

export async function makeHsmKey(
  kms: KMSClient,
  CustomKeyStoreId: string,
  more: Partial<CreateKeyCommandInput> = {},
): Promise<string> {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, ...more }),
  )
  return String(KeyMetadata?.KeyId)
}

/** Keys with this label, or any: two at most, as somebody sees them who logs in without Trent. */
export async function keysInHsm(
  { hsm }: Pick<HsmWorld, 'hsm'>,
  label?: string,
): Promise<readonly TokenKey[]> {
  const token = createToken({
    place: { library: hsm.library, label: tokenLabel },
    environment: hsm.environment,
    readPin: async () => Buffer.from(pin),
  })
  try {
    return await token.findKeys(label === undefined ? {} : { label })
  } finally {
    token.close()
  }
}
