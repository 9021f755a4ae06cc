/** The whole console: sign-in, or the frame with the screen that the address names. @module */
import Box from '@cloudscape-design/components/box'
import Spinner from '@cloudscape-design/components/spinner'
import { type ReactNode, useEffect } from 'react'
import type { Aws } from '../aws/aws.ts'
import type { Session } from '../aws/session.ts'
import { SignIn } from '../sign-in/sign-in.tsx'
import { text } from '../text/text.ts'
import { useAsked } from './asked.ts'
import { type ServerSettings, useSession } from './context.ts'
import { Frame } from './frame.tsx'
import { followColorScheme } from './mode.ts'

export function App({ aws, session }: { readonly aws: Aws; readonly session: Session }): ReactNode {
  const { signedIn, ended } = useSession(session)
  const { asked, again } = useAsked('settings', readSettings)
  useEffect(followColorScheme, [])
  if (asked.state === 'loading') {
    return (
      <Box padding="xxl" textAlign="center">
        <Spinner size="large" /> {text.loading}
      </Box>
    )
  }
  if (asked.state === 'failed') {
    return (
      <Box padding="xxl" textAlign="center">
        {text.noServer} <button onClick={again}>{text.again}</button>
      </Box>
    )
  }
  const settings = asked.value
  if (signedIn === undefined) return <SignIn session={session} settings={settings} />
  return (
    <>
      <Frame aws={aws} session={session} settings={settings} signedIn={signedIn} />
      {ended && <SignIn session={session} settings={settings} again={signedIn} />}
    </>
  )
}

async function readSettings(): Promise<ServerSettings> {
  const response = await fetch('/console/settings.json', { redirect: 'error' })
  if (!response.ok) throw new Error(`status ${response.status}`)
  return (await response.json()) as ServerSettings // of the same server and version
}
