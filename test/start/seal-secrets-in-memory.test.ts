/**
 * What people and devices give to open seals is on no heap of the server that they open: neither the shares and
 * passphrases, which come as JSON through the operators' door, nor the PIN of an HSM.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sealOf } from '../../src/seals/choose.ts'
import { parseSeal } from '../../src/seals/setting.ts'
import { realRandom } from '../crypto/fixed.ts'
import { encrypted, killed } from '../durability/killed-server.ts'
import { noSoftHsm, pin } from '../pkcs11/soft-hsm.ts'
import { testedSeal } from '../seals/every-seal.ts'
import { foundInMemory, textSecret } from './memory-search.ts'
import { storedKeys } from './stored-keys.ts'
import { threadHeaps } from './thread-heaps.ts'

test('a server that shares, a passphrase and an HSM open has none of them on a heap', async (t) => {
  const heaps = threadHeaps(t)
  const hsm = noSoftHsm === undefined ? await testedSeal(t, 'pkcs11') : undefined
  if (hsm === undefined) t.diagnostic(`without an HSM: ${noSoftHsm}`)
  const server = killed(t, { ...hsm?.settings, ...hsm?.environment, ...heaps.flags })
  const running = await server.begin('shamir')
  const wanted = { shares: 3, threshold: 2 }
  const { shares = [] } = await server.ask('Initialize', wanted)
  await server.give('Unseal', shares)
  await encrypted(running)
  const [passphrase, wrong] = [textSecret('passphrase'), textSecret('wrong')]
  await server.ask('BeginRekey', { seal: 'passphrase', passphrase })
  await server.give('ContinueRekey', shares.slice(1))
  await assert.rejects(server.give('ContinueRekey', [wrong]), /passphrase is wrong/)
  assert.equal((await server.give('ContinueRekey', [passphrase]))['stage'], 'done')
  if (hsm !== undefined) {
    await server.ask('BeginRekey', { seal: hsm.setting })
    assert.equal((await server.give('ContinueRekey', [passphrase]))['stage'], 'done')
  }
  // An attempt that others have to finish.
  const begun = await server.ask('BeginRekey', { seal: 'shamir', ...wanted })
  const asked = hsm === undefined ? await server.give('ContinueRekey', [passphrase]) : begun
  const next = asked.shares ?? assert.fail('there are no new shares')
  await server.give('ContinueRekey', next.slice(0, 1))

  await heaps.write(running, ['main', 'trent store'])
  const bytesOf = (share: string): Uint8Array => Buffer.from(share.split(':')[5] ?? '', 'hex')
  const secrets = new Map<string, Uint8Array>([
    ...shares.map((each, at) => [`share ${at + 1}`, bytesOf(each)] as const),
    ...next.map((each, at) => [`new share ${at + 1}`, bytesOf(each)] as const),
    ['passphrase', Buffer.from(passphrase)],
    ['wrong passphrase', Buffer.from(wrong)],
    ['PIN', Buffer.from(pin)],
  ])
  if (process.platform === 'linux') {
    // The search finds what the server holds.
    const found = foundInMemory(running.child.pid ?? assert.fail(), secrets)
    assert.ok(found.includes('new share 1'), found.join())
  }
  await server.kill()
  const setting = parseSeal(hsm?.setting ?? 'passphrase', { pkcs11Environment: ['SOFTHSM2_CONF'] })
  const given = hsm === undefined ? [passphrase] : []
  const keys = await storedKeys(server.folder, sealOf(setting, realRandom), given)
  heaps.assertWithout(new Map([...secrets, ...keys]))
})
