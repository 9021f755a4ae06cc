/** Sign-in by an identity provider: the role, and a button for each provider. @module */
import { STSClient } from '@aws-sdk/client-sts'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { unsignedClient } from '../aws/aws.ts'
import type { SignedIn } from '../aws/session.ts'
import { useAction } from '../shell/asked.ts'
import type { ServerSettings } from '../shell/context.ts'
import { providerText } from '../text/sign-in.ts'
import { assumeRoleByToken } from './assume-role.ts'
import { askProvider, type SignInProvider } from './pop-up.ts'
import { SignInFailed } from './sign-in-failed.tsx'

const roleArn = /^arn:[\w-]+:iam::\d{12}:role\/.+$/

export function ProviderForm({
  settings,
  accept,
}: {
  readonly settings: ServerSettings
  readonly accept: (signedIn: SignedIn) => Promise<void>
}): ReactNode {
  const { signIn: providers, region } = settings
  const [role, setRole] = useState('')
  const [wrong, setWrong] = useState('')
  const [chosen, setChosen] = useState('')
  const { run, running, error } = useAction(async (provider: SignInProvider, arn: string) => {
    const token = await askProvider(provider)
    await accept(await assumeRoleByToken(unsignedClient(STSClient, region), token, arn))
  })
  const begin = (provider: SignInProvider): void => {
    const arn = role.trim() === '' ? (provider.role ?? '') : role.trim()
    setChosen(provider.name)
    setWrong(roleArn.test(arn) ? '' : providerText.roleWrong)
    if (roleArn.test(arn)) run(provider, arn)
  }
  const [first, ...others] = providers
  const usual = others.length === 0 ? first?.role : undefined
  const hasUsual = providers.some((each) => each.role !== undefined)
  return (
    <SpaceBetween size="m">
      <Header variant="h2">{providerText.title}</Header>
      {error !== undefined && <SignInFailed error={error} />}
      <FormField
        label={providerText.role}
        description={hasUsual ? providerText.roleHintUsual : providerText.roleHint}
        errorText={wrong}
      >
        <Input
          value={role}
          placeholder={usual ?? ''}
          onChange={({ detail }) => setRole(detail.value)}
          autoComplete="off"
          spellcheck={false}
        />
      </FormField>
      <SpaceBetween direction="horizontal" size="xs">
        {providers.map((provider) => (
          <Button
            key={provider.name}
            formAction="none"
            variant="primary"
            loading={running && chosen === provider.name}
            disabled={running && chosen !== provider.name}
            onClick={() => begin(provider)}
          >
            {providerText.submit(provider.name)}
          </Button>
        ))}
      </SpaceBetween>
      <Header variant="h2">{providerText.keyTitle}</Header>
    </SpaceBetween>
  )
}
