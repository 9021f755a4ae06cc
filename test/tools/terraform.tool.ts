/**
 * Terraform with its provider for AWS: what it makes it finds again as it is configured, changes in place
 * and takes away.
 *
 * Of the provider the proxy of Go's modules serves one of 2019 at the latest; Terraform is the last under a
 * free licence.
 * @module
 */
import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms'
import { openWorkplace, type Workplace } from '../compat/workplace.ts'
import { installed } from './installed.ts'

const provider = 'terraform-provider-aws_v1.60.0'
const terraform = await installed({
  name: 'terraform',
  toolchain: ['go version'],
  sources: 'terraform',
  fetch: [
    'go install -p 1 github.com/hashicorp/terraform@v1.5.7',
    `go build -p 1 -o bin/${provider} .`,
  ],
})
const { skip } = terraform

/** Where Terraform looks for providers before it asks a registry. */
const platform = `linux_${process.arch === 'x64' ? 'amd64' : process.arch}`

async function openConfiguration(t: TestContext): Promise<Workplace> {
  const place = await openWorkplace(t, terraform)
  await copyFile(join(import.meta.dirname, 'terraform', 'main.tf'), join(place.folder, 'main.tf'))
  const mirror = join(place.folder, 'mirror')
  const plugins = join(mirror, 'registry.terraform.io/hashicorp/aws/1.60.0', platform)
  await mkdir(plugins, { recursive: true })
  await copyFile(join(terraform.bin, provider), join(plugins, provider))
  await place.write(
    '.terraformrc',
    `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
  )
  await place.write('terraform.tfvars', `endpoint = "${place.server.url}"\n`)
  await place.print('terraform init -no-color')
  return place
}

/** Exit status 2 of such a plan is that something would change. */
const planned = 'terraform plan -no-color -input=false -detailed-exitcode'
const apply = 'terraform apply -no-color -input=false -auto-approve'

test(
  'Terraform makes, finds, changes and takes away a key and who may use it',
  { skip },
  async (t) => {
    const { client, folder, print } = await openConfiguration(t)
    await print(apply)
    const aliased = { KeyId: 'alias/app' }
    const { KeyMetadata } = await client.send(new DescribeKeyCommand(aliased))
    const KeyId = KeyMetadata?.KeyId ?? ''
    assert.equal(KeyMetadata?.Description, 'what the application seals')
    const { Tags } = await client.send(new ListResourceTagsCommand({ KeyId }))
    assert.deepEqual(Tags, [{ TagKey: 'team', TagValue: 'blue' }])
    const rotation = await client.send(new GetKeyRotationStatusCommand({ KeyId }))
    assert.equal(rotation.KeyRotationEnabled, true)
    const { Grants = [] } = await client.send(new ListGrantsCommand({ KeyId }))
    const stage = { EncryptionContextEquals: { stage: 'test' } }
    assert.deepEqual(
      Grants.map(({ Name, Constraints }) => ({ Name, Constraints })),
      [{ Name: 'deployer', Constraints: stage }],
    )
    const state = await readFile(join(folder, 'terraform.tfstate'), 'utf8')
    const [, sealed = ''] = /"ciphertext_blob": "([^"]+)"/.exec(state) ?? []
    const CiphertextBlob = Buffer.from(sealed, 'base64')
    const EncryptionContext = { stage: 'test' }
    const opened = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'hello')
    await print(planned)

    await print(`${apply} -var team=green -var description=other`)
    const changed = await client.send(new DescribeKeyCommand({ KeyId }))
    assert.equal(changed.KeyMetadata?.Description, 'other')
    await print(`${planned} -var team=green -var description=other`)

    // By whoever has lost the state of an alias.
    await print('terraform state rm -no-color aws_kms_alias.app')
    await print('terraform import -no-color -input=false aws_kms_alias.app alias/app')
    await print(`${planned} -var team=green -var description=other`)

    await print('terraform destroy -no-color -input=false -auto-approve')
    const gone = await client.send(new DescribeKeyCommand({ KeyId }))
    assert.equal(gone.KeyMetadata?.KeyState, 'PendingDeletion')
    assert.deepEqual((await client.send(new ListAliasesCommand({ KeyId }))).Aliases, [])
    assert.match(await readFile(join(folder, 'terraform.tfstate'), 'utf8'), /"resources": \[\]/)
  },
)

test('Terraform sees what was changed behind its back', { skip }, async (t) => {
  const { client, print, shell } = await openConfiguration(t)
  await print(apply)
  const aliased = { KeyId: 'alias/app' }
  const { KeyMetadata } = await client.send(new DescribeKeyCommand(aliased))
  const KeyId = KeyMetadata?.KeyId ?? ''
  await client.send(new DisableKeyRotationCommand({ KeyId }))
  const { status, stdout } = await shell(planned)
  assert.equal(status, 2)
  assert.match(stdout, /enable_key_rotation += false -> true/)
  await print(apply)
  const rotation = await client.send(new GetKeyRotationStatusCommand({ KeyId }))
  assert.equal(rotation.KeyRotationEnabled, true)
})
