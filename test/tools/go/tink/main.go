// Command tink seals and opens standard input as an envelope of Tink: a fresh AES-256-GCM key for each
// message, itself sealed by the KMS key of the ARN. Called as `tink seal|open ARN associated-data`, with
// nothing set but the environment; the output is in hexadecimal when sealed, and so is the input to open.
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tink-crypto/tink-go-awskms/v3/integration/awskms"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
)

func main() {
	if err := run(os.Args[1], os.Args[2], []byte(os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command, arn string, associated []byte) error {
	envelope, err := envelopeUnder("aws-kms://" + arn)
	if err != nil {
		return err
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if command == "seal" {
		sealed, err := envelope.Encrypt(input, associated)
		if err != nil {
			return err
		}
		fmt.Printf("%x\n", sealed)
		return nil
	}
	sealed, err := hex.DecodeString(strings.TrimSpace(string(input)))
	if err != nil {
		return err
	}
	opened, err := envelope.Decrypt(sealed, associated)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(opened)
	return err
}

func envelopeUnder(uri string) (tink.AEAD, error) {
	client, err := awskms.NewClientWithOptions(context.Background(), uri)
	if err != nil {
		return nil, err
	}
	remote, err := client.GetAEAD(uri)
	if err != nil {
		return nil, err
	}
	return aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), remote), nil
}
