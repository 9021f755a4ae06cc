/**
 * Every screen, light and dark, wide and on a phone: axe finds nothing, and a screenshot goes to a folder for
 * people.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import axe from 'axe-core'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  EncryptCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { by, lookUpSoon, trailClient } from '../compat/trails.ts'
import { accountId, credentials, region } from '../harness.ts'
import { openPage, screenshot, signIn, workplace, type Workplace } from './browser.ts'

/** A provider that nobody asks. */
const provider = 'Example:issuer=https://login.example.com;client-id=trent-console'
const archive = mkdtempSync(join(tmpdir(), 'trent-archive-'))
const { get } = workplace({
  TRENT_AUDIT_DIR: archive,
  TRENT_CONSOLE_SIGN_IN: `${provider};role=arn:aws:iam::111122223333:role/people`,
})
after(() => rmSync(archive, { recursive: true, force: true }))

/** What the screens show. */
interface Seeded {
  readonly symmetric: string
  readonly signing: string
  readonly imported: string
  readonly multiRegion: string
  readonly refused: string
}

async function newKey(kms: KMSClient, alias: string, more: CreateKeyCommandInput): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(more))
  const TargetKeyId = KeyMetadata?.KeyId ?? ''
  await kms.send(new CreateAliasCommand({ AliasName: `alias/${alias}`, TargetKeyId }))
  return TargetKeyId
}

let seeding: Promise<Seeded> | undefined

function seeded(t: TestContext, { server }: Workplace): Promise<Seeded> {
  seeding ??= (async () => {
    const kms = server.client()
    const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
    for (const UserName of ['alice', 'bob']) await iam.send(new CreateUserCommand({ UserName }))
    const symmetric = await newKey(kms, 'app/orders', {
      Description: 'Encrypts the data keys of orders',
      Tags: [{ TagKey: 'team', TagValue: 'orders' }],
    })
    const signing = await newKey(kms, 'app/signer', {
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
    })
    const imported = await newKey(kms, 'app/imported', { Origin: 'EXTERNAL' })
    const multiRegion = await newKey(kms, 'app/global', { MultiRegion: true })
    const GranteePrincipal = `arn:aws:iam::111122223333:user/alice`
    await kms.send(
      new CreateGrantCommand({ KeyId: symmetric, GranteePrincipal, Operations: ['Decrypt'] }),
    )
    await kms.send(new EncryptCommand({ KeyId: symmetric, Plaintext: Buffer.from('x') }))
    const refused = await kms
      .send(new EncryptCommand({ KeyId: imported, Plaintext: Buffer.from('x') }))
      .then(
        () => assert.fail('a key without material'),
        ({ $metadata }: { $metadata: { requestId: string } }) => $metadata.requestId,
      )
    iam.destroy()
    // Screens wait for records for some seconds. A busy machine takes longer.
    await lookUpSoon(trailClient(t, server), 2, by('EventName', 'Encrypt'))
    return { symmetric, signing, imported, multiRegion, refused }
  })()
  return seeding
}

/** Each screen: its name, its path, and a text that is there once it has its data. */
function screensOf(made: Seeded): readonly (readonly [name: string, path: string, text: string])[] {
  const key = (id: string, tab: string): string => `keys/${id}/${tab}`
  return [
    ['overview', 'overview', 'Keys by state'],
    ['keys', 'keys', 'app/orders'],
    ['aws-keys', 'aws-keys', 'No keys'],
    ['create-key', 'create-key', 'Key usage'],
    ['key-policy', key(made.symmetric, 'policy'), 'PutKeyPolicy|Enable IAM'],
    ['key-cryptography', key(made.symmetric, 'cryptography'), 'SYMMETRIC_DEFAULT'],
    ['key-material', key(made.symmetric, 'material'), 'Key materials'],
    ['key-imported', key(made.imported, 'material'), 'Import key material'],
    ['key-tags', key(made.symmetric, 'tags'), 'Add tag'],
    ['key-aliases', key(made.symmetric, 'aliases'), 'Create new alias'],
    ['key-grants', key(made.symmetric, 'grants'), 'user/alice'],
    ['key-regionality', key(made.multiRegion, 'regionality'), 'Create replica key'],
    ['key-public', key(made.signing, 'publicKey'), 'BEGIN PUBLIC KEY'],
    ['key-usage', key(made.symmetric, 'usage'), 'Request ID'],
    ['key-access', key(made.symmetric, 'access'), 'the root user has every permission'],
    ['stores', 'stores', 'There are no custom key stores'],
    ['activity', 'activity', 'Calls by time'],
    ['trails', 'trails', 'trent-audit'],
    ['try-it', `try?key=${made.symmetric}`, 'AWS CLI'],
    ['server', 'server', 'Opens by itself'],
    ['why', `why?request=${made.refused}`, 'If the call came now'],
  ]
}

const everyLook = [
  ['light', 1400, 900],
  ['dark', 390, 844],
  ['dark', 1400, 900],
  ['light', 390, 844],
] as const
/** Two looks have both schemes and both sizes. CONSOLE_LOOKS=all takes the other two as well. */
const looks = process.env['CONSOLE_LOOKS'] === 'all' ? everyLook : everyLook.slice(0, 2)

for (const [scheme, width, height] of looks) {
  test(`every screen is accessible, ${scheme}, ${width} pixels wide`, async (t) => {
    const place = get(t)
    if (place === undefined) return
    const made = await seeded(t, place)
    const options = { colorScheme: scheme, viewport: { width, height } }
    const { page } = await openPage(t, place, options)
    const size = width < 600 ? 'phone' : 'wide'
    await page.goto(`${place.server.url}/console/`)
    await page.getByLabel('Access key ID').waitFor()
    const found = [await violations(page, 'sign-in')]
    await screenshot(page, `sign-in-${scheme}-${size}`)
    await signIn(page, place)
    for (const [name, path, text] of screensOf(made)) {
      await page.goto(`${place.server.url}/console/#/${region}/${path}`)
      await page.getByText(new RegExp(text)).first().waitFor()
      found.push(await violations(page, name), await cut(page, name))
      await screenshot(page, `${name}-${scheme}-${size}`)
    }
    assert.deepEqual(found.flat(), [])
  })
}

/** What a screen cuts: itself, when it is wider than the window, and the account and Region at the top. */
async function cut(page: Page, name: string): Promise<string[]> {
  const found = await page.evaluate<string[]>(`((wanted) => {
    const problems = []
    const width = document.documentElement.scrollWidth
    if (width > innerWidth) problems.push('the page is ' + width + ' pixels wide')
    for (const text of wanted) {
      const shown = [...document.querySelectorAll('#top-bar header *')].find((element) =>
        element.childElementCount === 0 && element.textContent.includes(text))
      const box = shown?.getBoundingClientRect()
      const isWhole = box !== undefined && box.width > 0 && box.left >= 0 && box.right <= innerWidth
      if (!isWhole || shown.scrollWidth > shown.clientWidth) problems.push(text + ' is cut')
    }
    return problems
  })(${JSON.stringify([accountId, region])})`)
  return found.map((each) => `${name}: ${each}`)
}

/** Cloudscape's button of the navigation on a phone has `aria-expanded` on its `nav`, too. */
const excluded = ['nav[class*=mobile-toolbar-nav]']

/** What axe finds, as `screen: rule: selector`. */
async function violations(page: Page, name: string): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate<string[]>(`axe.run({ exclude: ${JSON.stringify(excluded)} }, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => id + ': ' + target.join(' '))))`)
  return found.map((each) => `${name}: ${each}`)
}
