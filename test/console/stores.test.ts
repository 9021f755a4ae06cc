/** Custom key stores in the console: from the proxy's configuration file to a connection, and back. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeCustomKeyStoresCommand } from '@aws-sdk/client-kms'
import { startExternalWorld, storeSettings } from '../compat/external-store.ts'
import { advance } from '../compat/test-clock.ts'
import { openPage, signIn, workplace } from './browser.ts'

const { get } = workplace()

test('a key store is created from a file, connected and disconnected', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const { server, kms, proxy } = await startExternalWorld(t)
  const place = { browser: workplaces.browser, server }
  const { page } = await openPage(place)
  await signIn(page, place, undefined, 'stores')
  await page.getByText('There are no custom key stores').waitFor()
  await page.getByRole('button', { name: 'Create key store' }).click()
  const dialog = page.getByRole('dialog')
  const choose = (text: string): Promise<void> =>
    page.locator('input[type=file]').setInputFiles({
      name: 'proxy.json',
      mimeType: 'application/json',
      buffer: Buffer.from(text),
    })
  await choose('{}')
  await dialog.getByText('This file is no proxy configuration.').waitFor()
  const { XksProxyUriPath, XksProxyUriEndpoint, XksProxyAuthenticationCredential } = storeSettings
  const file = { XksProxyUriPath, XksProxyUriEndpoint, XksProxyAuthenticationCredential }
  await choose(JSON.stringify(file))
  await dialog.getByLabel('Name of the store').fill('vault')
  await dialog.getByRole('button', { name: 'Create key store' }).click()
  await page.getByText('The store is created. Connect it to use it.').waitFor()
  const act = async (name: string): Promise<void> => {
    await page.getByRole('radio', { name: 'vault' }).check()
    await page.getByRole('button', { name: 'Actions' }).click()
    await page.getByRole('menuitem', { name, exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
  }
  const state = async (): Promise<string | undefined> => {
    const { CustomKeyStores: [store] = [] } = await kms.send(new DescribeCustomKeyStoresCommand())
    return store?.ConnectionState
  }
  await act('Connect')
  await page.getByText('The connection is being made').waitFor()
  // Moving the clock runs the jobs that are due.
  await advance(server.url, '1s')
  const row = page.getByRole('row').filter({ hasText: 'vault' })
  await row.getByText('Connected', { exact: true }).waitFor()
  assert.equal(await state(), 'CONNECTED')
  assert.ok(proxy.seen.some(({ path }) => path === 'health'))
  await act('Disconnect')
  await page.getByText('The store disconnects').waitFor()
  await advance(server.url, '1s')
  await row.getByText('Disconnected', { exact: true }).waitFor()
  assert.equal(await state(), 'DISCONNECTED')
})

test('a key store in an HSM cluster takes a certificate only, and says what the server refuses', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page, expect } = await openPage(place)
  expect(/status of 400/)
  await signIn(page, place, undefined, 'stores')
  await page.getByRole('button', { name: 'Create key store' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('radio', { name: 'CloudHSM' }).check()
  await dialog.getByLabel('Name of the store').fill('hsm')
  await dialog.getByLabel('Cluster ID').fill('cluster-234567abcde')
  await dialog.getByLabel('Password of kmsuser').fill('kmsPswd')
  const create = dialog.getByRole('button', { name: 'Create key store' })
  const choose = (text: string): Promise<void> =>
    page.locator('input[type=file]').setInputFiles({
      name: 'customerCA.crt',
      mimeType: 'application/x-pem-file',
      buffer: Buffer.from(text),
    })
  await choose('no certificate')
  const wrong = dialog.getByText('This file is no certificate in PEM.')
  await wrong.waitFor()
  assert.equal(await create.isDisabled(), true)
  const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  await choose(certificate)
  await wrong.waitFor({ state: 'hidden' })
  // A file that is larger than any certificate is not read.
  await choose(certificate + '\n'.repeat(20_000))
  await wrong.waitFor()
  assert.equal(await create.isDisabled(), true)
  await choose(certificate)
  await wrong.waitFor({ state: 'hidden' })
  await create.click()
  await dialog.getByText('CloudHsmClusterNotFoundException').waitFor()
  await dialog.getByText('Request id').waitFor()
})
