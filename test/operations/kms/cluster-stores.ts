/** Key stores in HSM clusters for the tests of single operations. @module */
import { readFileSync } from 'node:fs'
import { fingerprintOf, type HsmCluster } from '../../../src/keystores/hsm/settings.ts'
import type { CustomKeyStoreRecord } from '../../../src/model/custom-key-store.ts'

const certificate = (name: string): string =>
  readFileSync(new URL(`../../vectors/trust-anchors/${name}.pem`, import.meta.url), 'utf8')

/** Self-signed certificates, made with OpenSSL for these tests. Nobody kept their keys. */
export const trustAnchor = certificate('1')
export const otherTrustAnchor = certificate('2')

export const clusterId = 'cluster-234567abcde'

function clusterOf(id: string, anchor: string): HsmCluster {
  return {
    clusterId: id,
    place: { library: '/nowhere/hsm.so', label: 'kms' },
    trustAnchor: fingerprintOf(anchor) ?? '',
    iv: 'we',
    rotatesPin: false,
    hsms: 2,
  }
}

export const hsmCluster = clusterOf(clusterId, trustAnchor)
/** Has the same certificate, and one HSM. */
export const relatedCluster = { ...clusterOf('cluster-relatedabcd', trustAnchor), hsms: 1 }
/** Has another certificate, and belongs to another account. */
export const otherCluster = {
  ...clusterOf('cluster-otherabcdef', otherTrustAnchor),
  accountId: '444455556666',
}

export const clusterSettings = {
  CustomKeyStoreName: 'hsm',
  CloudHsmClusterId: clusterId,
  TrustAnchorCertificate: trustAnchor,
  KeyStorePassword: 'kmsPswd',
} as const

/** The row of a connected key store. */
export function newClusterStore(
  of: Pick<CustomKeyStoreRecord, 'accountId' | 'region'>,
): CustomKeyStoreRecord {
  return {
    ...of,
    storeId: 'cks-1234567890abcdef0',
    name: 'hsm',
    type: 'AWS_CLOUDHSM',
    connection: 'CONNECTED',
    createdAt: 1,
    cluster: { clusterId, trustAnchor },
    wrappedSecret: Buffer.from('kmsuser 7'),
    wrappingVersion: 1,
    rowVersion: 1,
  }
}
