/** The guide to signers for Ethereum and Solana, with viem and `@solana/kit`. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide, packagesFor } from '../guides/guide.ts'
import { programsIn } from './programs.ts'

const clients = await pythonClients()
const javascript = await programsIn('javascript')
const install =
  'npm install --ignore-scripts @aws-sdk/client-kms@3.1162.0 viem@2.57.20 @solana/kit@8.4.0'

test(
  'transactions are signed in Trent, and valid for Ethereum and Solana',
  { skip: clients.skip || javascript.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/wallets.md', [clients], {
      stands: packagesFor(install, javascript.folder),
    })
    const signed = (await recordsOf(server.directory)).flatMap(({ eventName, requestParameters }) =>
      eventName === 'Sign' ? [requestParameters?.['signingAlgorithm']] : [],
    )
    assert.deepEqual(signed, ['ECDSA_SHA_256', 'ECDSA_SHA_256', 'ED25519_SHA_512'])
  },
)
