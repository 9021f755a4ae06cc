/**
 * A server that is killed while it connects and disconnects a key store in an HSM, and while it creates and
 * deletes keys there: nothing is half done, nothing is left in the HSM, and no ciphertext is lost.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hsmSettings, makeClusterStore, makeHsmKey, tokenLabel } from '../compat/cluster-store.ts'
import { advance } from '../compat/test-clock.ts'
import { noSoftHsm, softHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { dieAtEachStep } from './dying-key-store.ts'
import { region, settings } from './fixed-account.ts'
import { openMortalServer } from './mortal-server.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }

test('a server that dies at any step leaves nothing half done', options, async (t) => {
  const folder = temporaryFolder(t)
  const hsm = softHsm(t)
  hsm.makeToken(tokenLabel)
  const server = await openMortalServer(t, folder, {
    ...settings,
    ...hsmSettings(hsm, folder, ['rotate-pin=yes']),
    ...hsm.environment,
  })
  const storeId = await makeClusterStore(server.client(region))
  const { sealed } = await dieAtEachStep(server, storeId, (kms) => makeHsmKey(kms, storeId))
  // What a death left in the HSM is destroyed by now.
  for (let minutes = 0; minutes < 4; minutes += 1) await advance(server.url(), '1m')
  assert.equal(hsm.countObjects(), sealed.size)
  await server.stop()
})
