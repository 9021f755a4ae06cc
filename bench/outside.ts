/** Key stores outside of a measured server, and keys in them. @module */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DescribeCustomKeyStoresCommand,
  type CreateCustomKeyStoreCommandInput,
  type CreateKeyCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { MadePair } from '../src/tls/make.ts'

const clusterId = 'cluster-234567abcde'
const password = 'kmsPswd'
const label = 'kms'

/** A key store and the key to make in it, with the settings that Trent needs for it. */
export interface Outside {
  readonly settings: Readonly<Record<string, string>>
  readonly store: CreateCustomKeyStoreCommandInput
  readonly key: CreateKeyCommandInput
}

export function written(directory: string, name: string, text: string): string {
  writeFileSync(join(directory, name), text, { mode: 0o600 })
  return join(directory, name)
}

/**
 * Makes a token of SoftHSM2.
 * @param of.faults the library through which the server uses it, and the file of its rules
 */
export function makeHsm(
  directory: string,
  { cert }: MadePair,
  of: {
    readonly library: string
    readonly tool: string
    readonly faults?: { readonly library: string; readonly rules: string }
  },
): Outside {
  const tokens = join(directory, 'tokens')
  mkdirSync(tokens)
  const SOFTHSM2_CONF = written(directory, 'softhsm2.conf', `directories.tokendir = ${tokens}\n`)
  const pins = ['--pin', password, '--so-pin', password]
  const names = ['--module', of.library, '--init-token', '--free', '--label', label, ...pins]
  execFileSync(of.tool, names, { env: { SOFTHSM2_CONF } })
  const anchor = written(directory, 'customerCA.crt', cert)
  const { faults } = of
  return {
    settings: {
      SOFTHSM2_CONF,
      ...(faults && { FAULT_HSM_LIBRARY: of.library, FAULT_HSM_RULES: faults.rules }),
      TRENT_PKCS11_ENVIRONMENT: `SOFTHSM2_CONF${faults ? ',FAULT_HSM_LIBRARY,FAULT_HSM_RULES' : ''}`,
      TRENT_HSM_CLUSTERS: `${clusterId}:library=${faults?.library ?? of.library};token=${label};trust-anchor=${anchor}`,
    },
    store: {
      CustomKeyStoreName: 'hsm',
      CloudHsmClusterId: clusterId,
      TrustAnchorCertificate: cert,
      KeyStorePassword: password,
    },
    key: { Origin: 'AWS_CLOUDHSM' },
  }
}

export async function makeKeyIn(kms: KMSClient, { store, key }: Outside): Promise<string> {
  const { CustomKeyStoreId } = await kms.send(new CreateCustomKeyStoreCommand(store))
  await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  for (;;) {
    const described = new DescribeCustomKeyStoresCommand({ CustomKeyStoreId })
    const [entry] = (await kms.send(described)).CustomKeyStores ?? []
    if (entry?.ConnectionState === 'CONNECTED') break
    const { ConnectionErrorCode: code } = entry ?? {}
    if (code !== undefined) throw new Error(`the key store is not connected: ${code}`)
    await sleep(200)
  }
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ ...key, CustomKeyStoreId }))
  return KeyMetadata?.KeyId ?? ''
}
