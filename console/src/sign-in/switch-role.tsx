/** The role switcher: AssumeRole with the session's own credentials. @module */
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Modal from '@cloudscape-design/components/modal'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import type { SignedIn } from '../aws/session.ts'
import { useAction } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { switchText } from '../text/switch-role.ts'
import { text } from '../text/text.ts'

export function SwitchRole({
  signedIn,
  onDone,
}: {
  readonly signedIn: SignedIn
  readonly onDone: () => void
}): ReactNode {
  const { aws, session, region } = useConsole()
  const { accountId } = signedIn.identity
  const [account, setAccount] = useState(accountId)
  const [role, setRole] = useState('')
  const [name, setName] = useState('console')
  const [tried, setTried] = useState(false)
  const partition = signedIn.identity.arn.split(':')[1] ?? 'aws'
  const { run, running, error } = useAction(async () => {
    const arn = role.startsWith('arn:') ? role : `arn:${partition}:iam::${account}:role/${role}`
    const assumed = await aws.run(STSClient, region, (sts) =>
      sts.send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: name })),
    )
    const {
      AccessKeyId = '',
      SecretAccessKey = '',
      SessionToken,
      Expiration,
    } = assumed.Credentials ?? {}
    session.signIn({
      credentials: {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        ...(SessionToken !== undefined && { sessionToken: SessionToken }),
        ...(Expiration !== undefined && { expiration: Expiration }),
      },
      identity: {
        accountId: assumed.AssumedRoleUser?.Arn?.split(':')[4] ?? account,
        arn: assumed.AssumedRoleUser?.Arn ?? arn,
      },
      before: signedIn.before ?? signedIn,
    })
    onDone()
  })
  const submit = (): void => {
    setTried(true)
    if (role.trim() !== '') run()
  }
  return (
    <Modal
      visible
      header={text.switchRole}
      closeAriaLabel={text.close}
      onDismiss={onDone}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDone}>
              {text.cancel}
            </Button>
            <Button variant="primary" loading={running} onClick={submit}>
              {text.switchRole}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Failed error={error} title={switchText.failed} />
        <FormField label={text.account}>
          <Input value={account} onChange={({ detail }) => setAccount(detail.value)} />
        </FormField>
        <FormField
          label={switchText.role}
          description={switchText.roleHint}
          errorText={tried && role.trim() === '' ? switchText.missing : ''}
        >
          <Input value={role} onChange={({ detail }) => setRole(detail.value)} autoFocus />
        </FormField>
        <FormField label={switchText.session} description={switchText.sessionHint}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
      </SpaceBetween>
    </Modal>
  )
}
