/** The guide to a certificate authority. OpenSSL judges what it issues. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide, packagesFor } from './guide.ts'

const clients = await pythonClients()
const install =
  'npm install @aws-sdk/client-kms@3.1162.0 @peculiar/x509@2.2.0 reflect-metadata@0.2.2'

test(
  'OpenSSL accepts what Trent signs for an authority, until it is revoked',
  clients,
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/x509.md', [clients], {
      stands: packagesFor(install),
      fails: ['openssl verify -CAfile ca.pem -verify_hostname shop', 'node ca.mjs revoke www.pem'],
    })
    const signed = (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'Sign',
    )
    // The authority, a certificate and two lists.
    assert.equal(signed.length, 4)
  },
)
