/** A key store in an HSM cluster, in the console: from its creation to a key in SoftHSM2. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { Locator } from 'playwright-core'
import { keysInHsm, startHsmWorld } from '../compat/cluster-store.ts'
import { advance } from '../compat/test-clock.ts'
import { clusterId, trustAnchor } from '../operations/kms/cluster-stores.ts'
import { noSoftHsm, pin } from '../pkcs11/soft-hsm.ts'
import { openPage, signIn, workplace } from './browser.ts'

const { get } = workplace()
const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }

test(
  'a key store in an HSM cluster is created, corrected, connected and renamed, and gets a key',
  options,
  async (t) => {
    const workplaces = get(t)
    if (workplaces === undefined) return
    const world = await startHsmWorld(t)
    const { server, kms } = world
    const place = { browser: workplaces.browser, server }
    const { page } = await openPage(place)
    await signIn(page, place, undefined, 'stores')
    await page.getByRole('button', { name: 'Create key store' }).click()
    const dialog = page.getByRole('dialog')
    const field = (label: string): Locator => dialog.getByLabel(label, { exact: true })
    await dialog.getByRole('radio', { name: 'CloudHSM' }).check()
    await field('Name of the store').fill('hsm')
    await field('Cluster ID').fill(clusterId)
    await page.locator('input[type=file]').setInputFiles({
      name: 'customerCA.crt',
      mimeType: 'application/x-pem-file',
      buffer: Buffer.from(trustAnchor),
    })
    await field('Password of kmsuser').fill('not-the-password')
    await dialog.getByRole('button', { name: 'Create key store' }).click()
    await page.getByText('The store is created. Connect it to use it.').waitFor()
    const row = page.getByRole('row').filter({ hasText: clusterId })
    await row.getByText('Disconnected', { exact: true }).waitFor()

    const choose = async (action: string): Promise<void> => {
      await row.getByRole('radio').check()
      await page.getByRole('button', { name: 'Actions' }).click()
      await page.getByRole('menuitem', { name: action, exact: true }).click()
      await dialog.waitFor()
    }
    const act = async (action: string): Promise<void> => {
      await choose(action)
      await dialog.getByRole('button', { name: action, exact: true }).click()
      await dialog.waitFor({ state: 'hidden' })
      // Moving the clock runs the jobs that are due.
      await advance(server.url, '1s')
    }
    await act('Connect')
    await row.getByText('The HSM refuses the PIN or password.').waitFor()
    await act('Disconnect')
    await row.getByText('Disconnected', { exact: true }).waitFor()
    const save = dialog.getByRole('button', { name: 'Save changes' })
    await choose('Edit key store')
    assert.equal(await field('Cluster ID').inputValue(), clusterId)
    await field('Password of kmsuser').fill(pin)
    await save.click()
    await page.getByText('The store is changed').waitFor()
    await act('Connect')
    await row.getByText('Connected', { exact: true }).waitFor()
    await choose('Edit key store')
    assert.equal(await field('Cluster ID').isDisabled(), true)
    assert.equal(await field('Password of kmsuser').isDisabled(), true)
    await field('Name of the store').fill('renamed')
    await save.click()
    await row.getByText('renamed').waitFor()

    const next = page.getByRole('button', { name: 'Next', exact: true })
    await page.goto(`${server.url}/console/#/us-west-2/create-key`)
    await page.getByRole('button', { name: 'Advanced options' }).click()
    await page.getByRole('radio', { name: 'CloudHSM key store' }).check()
    await page.getByRole('button', { name: 'Custom key store' }).click()
    await page.getByRole('option', { name: 'renamed' }).click()
    await next.click()
    await page.getByLabel('Alias', { exact: true }).fill('in-hsm')
    await next.click()
    await next.click()
    await next.click()
    await page.getByRole('button', { name: 'Finish' }).click()
    await page.getByText('The key is created', { exact: true }).first().waitFor()
    await page.waitForURL(/\/keys\/[\da-f-]{36}/)
    const [, KeyId = ''] = /keys\/([\da-f-]{36})/.exec(page.url()) ?? []
    await page.getByRole('tab', { name: 'Cryptographic configuration' }).click()
    await page.getByText(clusterId).waitFor()
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    assert.equal(KeyMetadata?.Origin, 'AWS_CLOUDHSM')
    await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
    assert.equal((await keysInHsm(world)).length, 1)
  },
)
