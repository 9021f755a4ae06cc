/**
 * Sign-in with an access key or by an identity provider: as a page, or over a page with an ended session.
 * @module
 */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Form from '@cloudscape-design/components/form'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import Modal from '@cloudscape-design/components/modal'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { newClient } from '../aws/aws.ts'
import type { Credentials, Identity, Session, SignedIn } from '../aws/session.ts'
import { useAction } from '../shell/asked.ts'
import type { ServerSettings } from '../shell/context.ts'
import { signInText } from '../text/sign-in.ts'
import { text } from '../text/text.ts'
import { assumeRole } from './assume-role.ts'
import { NotReady } from './not-ready.tsx'
import { ProviderForm } from './provider-form.tsx'
import { SignInFailed } from './sign-in-failed.tsx'

interface SignInProps {
  readonly session: Session
  readonly settings: ServerSettings
  /** The session that has ended. */
  readonly again?: SignedIn
}

export function SignIn(props: SignInProps): ReactNode {
  if (props.again !== undefined) {
    return (
      <Modal
        visible
        header={signInText.titleAgain}
        onDismiss={() => undefined}
        closeAriaLabel={text.close}
      >
        <SpaceBetween size="m">
          <Box>{signInText.again}</Box>
          <Ways {...props} />
        </SpaceBetween>
      </Modal>
    )
  }
  return (
    <main className="sign-in">
      <Container header={<Header variant="h1">{text.productLong}</Header>}>
        <SpaceBetween size="m">
          <NotReady />
          <Ways {...props} />
        </SpaceBetween>
      </Container>
    </main>
  )
}

function Ways(props: SignInProps): ReactNode {
  const { session, settings, again } = props
  /** Goes on in the role of the session that has ended. */
  const assume = async (by: SignedIn): Promise<void> => {
    if (again?.assumed === undefined) return
    const sts = newClient(STSClient, settings.region, by.credentials)
    session.signIn(await assumeRole(sts, by, again.assumed.role))
  }
  const accept = async (signedIn: SignedIn): Promise<void> => {
    const { arn } = signedIn.identity
    if (again === undefined || again.identity.arn === arn) session.signIn(signedIn)
    else if (again.assumed?.by.identity.arn === arn) await assume(signedIn)
    else throw new Error(signInText.otherIdentity(again.identity.arn))
  }
  return (
    <SpaceBetween size="m">
      {settings.signIn.length > 0 && <ProviderForm settings={settings} accept={accept} />}
      <SignInForm {...props} assume={assume} accept={accept} />
    </SpaceBetween>
  )
}

interface FormProps extends SignInProps {
  readonly assume: (by: SignedIn) => Promise<void>
  readonly accept: (signedIn: SignedIn) => Promise<void>
}

function SignInForm({ session, settings, again, assume, accept }: FormProps): ReactNode {
  const [accessKeyId, setAccessKeyId] = useState('')
  const [secretAccessKey, setSecret] = useState('')
  const [sessionToken, setToken] = useState('')
  const [tried, setTried] = useState(false)
  const { run, running, error } = useAction(async () => {
    const credentials: Credentials = {
      accessKeyId: accessKeyId.trim(),
      secretAccessKey: secretAccessKey.trim(),
      ...(sessionToken.trim() !== '' && { sessionToken: sessionToken.trim() }),
    }
    const identity = await identityOf(credentials, settings.region)
    await accept({ credentials, identity })
  })
  const role = useAction(async () => {
    if (again?.assumed !== undefined) await assume(again.assumed.by)
  })
  const missing = (value: string): string =>
    tried && value.trim() === '' ? signInText.missing : ''
  const submit = (event: { preventDefault: () => void }): void => {
    event.preventDefault()
    setTried(true)
    if (accessKeyId.trim() !== '' && secretAccessKey.trim() !== '') run()
  }
  return (
    <form onSubmit={submit}>
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {again !== undefined && (
              <Button formAction="none" onClick={session.signOut}>
                {text.signOut}
              </Button>
            )}
            {again?.assumed !== undefined && (
              <Button formAction="none" loading={role.running} onClick={role.run}>
                {signInText.assumeAgain}
              </Button>
            )}
            <Button variant="primary" loading={running}>
              {signInText.submit}
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="m">
          {error !== undefined && <SignInFailed error={error} />}
          {role.error !== undefined && <SignInFailed error={role.error} />}
          <FormField label={signInText.accessKeyId} errorText={missing(accessKeyId)}>
            <Input
              value={accessKeyId}
              onChange={({ detail }) => setAccessKeyId(detail.value)}
              autoComplete="off"
              spellcheck={false}
              autoFocus={settings.signIn.length === 0}
            />
          </FormField>
          <FormField label={signInText.secretAccessKey} errorText={missing(secretAccessKey)}>
            <Input
              type="password"
              value={secretAccessKey}
              onChange={({ detail }) => setSecret(detail.value)}
              autoComplete="off"
            />
          </FormField>
          <FormField label={signInText.sessionToken} description={signInText.sessionTokenHint}>
            <Input
              type="password"
              value={sessionToken}
              onChange={({ detail }) => setToken(detail.value)}
              autoComplete="off"
            />
          </FormField>
          <Box color="text-body-secondary" fontSize="body-s">
            {signInText.memory}
          </Box>
        </SpaceBetween>
      </Form>
    </form>
  )
}

/** Proves the credentials to the server. */
export async function identityOf(credentials: Credentials, region: string): Promise<Identity> {
  const sts = newClient(STSClient, region, credentials)
  const { Account: accountId = '', Arn: arn = '' } = await sts.send(new GetCallerIdentityCommand())
  return { accountId, arn }
}
