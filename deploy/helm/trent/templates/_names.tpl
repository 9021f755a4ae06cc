{{- define "trent.selector" -}}
app.kubernetes.io/name: trent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "trent.labels" -}}
{{ include "trent.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* Every setting of a node, those of the values last. */}}
{{- define "trent.settings" -}}
TRENT_LISTEN: 0.0.0.0:4599
TRENT_DATA_DIR: /data
TRENT_STOP_DELAY_SECONDS: {{ .Values.stopDelaySeconds | quote }}
{{- if .Values.tls.plaintext }}
TRENT_ALLOW_PLAINTEXT_HTTP: 'true'
{{- else }}
TRENT_TLS_CERT: /etc/trent/tls/tls.crt
TRENT_TLS_KEY: /etc/trent/tls/tls.key
{{- end }}
{{- if .Values.sealSecret }}
TRENT_SEAL: file:/etc/trent/seal.key
{{- end }}
{{- if .Values.settingsSecret }}
TRENT_CONFIG: /etc/trent/settings/trent.env
{{- end }}
{{- end }}

{{/* What would start and not work. */}}
{{- define "trent.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.settingsSecret) }}
{{- if not .Values.settings.TRENT_DATABASE_URL }}
{{- fail "more than one node needs settings.TRENT_DATABASE_URL, or a settingsSecret with it" }}
{{- end }}
{{- if not (or .Values.settings.TRENT_SEAL .Values.sealSecret) }}
{{- fail "more than one node needs settings.TRENT_SEAL or a sealSecret: a key file in a data directory opens on one node only" }}
{{- end }}
{{- end }}
{{- if and .Values.sealSecret .Values.settings.TRENT_SEAL }}
{{- fail "sealSecret and settings.TRENT_SEAL are two seals: name one" }}
{{- end }}
{{- if .Values.settings.TRENT_TLS_CLIENT_CA }}
{{- fail "settings.TRENT_TLS_CLIENT_CA: the probes of Kubernetes have no certificate; ask for one in a proxy before Trent" }}
{{- end }}
{{- if and .Values.webIdentity.roleArn (not (hasPrefix "kms:" (default "kms:" .Values.settings.TRENT_SEAL))) }}
{{- fail "webIdentity.roleArn is for a seal kms:ARN, and settings.TRENT_SEAL is another" }}
{{- end }}
{{- end }}

{{- define "trent.probe" -}}
httpGet:
  path: {{ .path }}
  port: kms
  scheme: {{ .tls.plaintext | ternary "HTTP" "HTTPS" }}
{{- end }}
