/** The AWS CLI and boto3 of a workload that has a token in a file, and nothing else. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startIssuer } from '../authenticate/issuer.ts'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { nameOf } from './web-identities.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const role = `arn:aws:iam::${accountId}:role/job`

/** A workplace with a provider that is registered, a role that trusts it, and a token of it in `token`. */
async function openTrusted(t: TestContext): Promise<Workplace & { readonly arn: string }> {
  const issuer = await startIssuer('/cluster')
  t.after(() => issuer.close())
  const TRENT_WEB_IDENTITY_HOSTS = issuer.host
  const workplace = await openWorkplace(t, clients, { TRENT_WEB_IDENTITY_HOSTS })
  const { write, print } = workplace
  const arn = `arn:aws:iam::${accountId}:oidc-provider/${nameOf(issuer)}`
  const version = { Version: '2012-10-17' }
  const trust = {
    Effect: 'Allow',
    Principal: { Federated: arn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: { [`${nameOf(issuer)}:sub`]: 'system:serviceaccount:shop:payments' },
    },
  }
  const use = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  await write('trust.json', JSON.stringify({ ...version, Statement: trust }))
  await write('use.json', JSON.stringify({ ...version, Statement: use }))
  await write('token', await issuer.sign({ sub: 'system:serviceaccount:shop:payments' }))
  await print(`
    aws iam create-open-id-connect-provider --url ${issuer.url} --client-id-list trent
    aws iam create-role --role-name job --assume-role-policy-document file://trust.json
    aws iam put-role-policy --role-name job --policy-name use --policy-document file://use.json`)
  return { ...workplace, arn }
}

test('the AWS CLI of a pod gets in by its token', { skip }, async (t) => {
  const { print, shell } = await openTrusted(t)
  const printed = await print(`
    unset AWS_SHARED_CREDENTIALS_FILE
    export AWS_ROLE_ARN=${role} AWS_WEB_IDENTITY_TOKEN_FILE=token AWS_ROLE_SESSION_NAME=pod
    aws kms create-key --query KeyMetadata.KeyState --output text
    aws sts get-caller-identity --query Arn --output text`)
  assert.equal(printed, `Enabled\narn:aws:sts::${accountId}:assumed-role/job/pod\n`)
  const byHand = await print(`aws sts assume-role-with-web-identity --role-arn ${role} \
    --role-session-name hand --web-identity-token file://token --query Audience --output text`)
  assert.equal(byHand, 'trent\n')
  const refused = await shell(`aws sts assume-role-with-web-identity --role-arn ${role} \
    --role-session-name hand --web-identity-token nonsense`)
  assert.match(
    refused.stderr,
    /\(InvalidIdentityToken\) when calling the AssumeRoleWithWebIdentity/,
  )
})

test('the AWS CLI manages providers', { skip }, async (t) => {
  const { arn, json, print } = await openTrusted(t)
  const named = `--open-id-connect-provider-arn ${arn}`
  await print(`
    aws iam add-client-id-to-open-id-connect-provider ${named} --client-id more
    aws iam remove-client-id-from-open-id-connect-provider ${named} --client-id trent
    aws iam update-open-id-connect-provider-thumbprint ${named} --thumbprint-list ${'a'.repeat(40)}
    aws iam tag-open-id-connect-provider ${named} --tags Key=a,Value=1 Key=b,Value=2
    aws iam untag-open-id-connect-provider ${named} --tag-keys a`)
  const tags = await json(`aws iam list-open-id-connect-provider-tags ${named} --query Tags`)
  assert.deepEqual(tags, [{ Key: 'b', Value: '2' }])
  const all = 'OpenIDConnectProviderList[].Arn'
  assert.deepEqual(await json(`aws iam list-open-id-connect-providers --query '${all}'`), [arn])
  const shown = await json(
    `aws iam get-open-id-connect-provider ${named} --query '[ClientIDList,ThumbprintList]'`,
  )
  assert.deepEqual(shown, [['more'], ['a'.repeat(40)]])
  await print(`aws iam delete-open-id-connect-provider ${named}`)
  assert.deepEqual(await json(`aws iam list-open-id-connect-providers --query '${all}'`), [])
})

test('boto3 manages providers, and gets in by a token', { skip }, async (t) => {
  const { shell } = await openTrusted(t)
  const suite = join(import.meta.dirname, 'boto3', 'web_identity.py')
  const { status, stderr } = await shell(`python '${suite}' '${role}' token`)
  assert.equal(status, 0, stderr)
  assert.match(stderr, /^Ran 2 tests in /m)
})
