// Command round-trip calls KMS through the AWS SDK for Go as its users do, with nothing set but the
// environment. Its arguments are a key to encrypt under and a P-256 key to sign with; with a third argument
// `tls1.2` it speaks TLS 1.2 at most. It prints one `name value` line a result, bytes in hexadecimal.
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const message = "hello from Go"

var right = map[string]string{"purpose": "round trip", "city": "Zürich"}
var wrong = map[string]string{"purpose": "round trip", "city": "Genève"}

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3:]...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sealing, signing string, limits ...string) error {
	var options []func(*config.LoadOptions) error
	if len(limits) > 0 && limits[0] == "tls1.2" {
		options = append(options, config.WithHTTPClient(
			awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
				transport.TLSClientConfig.MaxVersion = tls.VersionTLS12
			}),
		))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return err
	}
	client := kms.NewFromConfig(settings)
	if err := encrypt(ctx, client, sealing); err != nil {
		return err
	}
	if err := dataKey(ctx, client, sealing); err != nil {
		return err
	}
	return sign(ctx, client, signing)
}

func encrypt(ctx context.Context, client *kms.Client, key string) error {
	sealed, err := client.Encrypt(ctx, &kms.EncryptInput{
		KeyId:             &key,
		Plaintext:         []byte(message),
		EncryptionContext: right,
	})
	if err != nil {
		return err
	}
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{
		CiphertextBlob:    sealed.CiphertextBlob,
		EncryptionContext: right,
	})
	if err != nil {
		return err
	}
	fmt.Printf("ciphertext %x\n", sealed.CiphertextBlob)
	fmt.Printf("opened %s\n", opened.Plaintext)

	_, err = client.Decrypt(ctx, &kms.DecryptInput{
		CiphertextBlob:    sealed.CiphertextBlob,
		EncryptionContext: wrong,
	})
	var refusal *types.InvalidCiphertextException
	if !errors.As(err, &refusal) {
		return fmt.Errorf("another context was not refused as an invalid ciphertext: %w", err)
	}
	fmt.Printf("refused %s\n", refusal.ErrorCode())
	return nil
}

func dataKey(ctx context.Context, client *kms.Client, key string) error {
	made, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:   &key,
		KeySpec: types.DataKeySpecAes256,
	})
	if err != nil {
		return err
	}
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: made.CiphertextBlob})
	if err != nil {
		return err
	}
	fmt.Printf("data-key %d %t\n", len(made.Plaintext), bytes.Equal(made.Plaintext, opened.Plaintext))
	return nil
}

// The signature is verified by Go's own library under the public key that KMS hands out.
func sign(ctx context.Context, client *kms.Client, key string) error {
	digest := sha256.Sum256([]byte(message))
	signed, err := client.Sign(ctx, &kms.SignInput{
		KeyId:            &key,
		Message:          digest[:],
		MessageType:      types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return err
	}
	described, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(key)})
	if err != nil {
		return err
	}
	public, err := x509.ParsePKIXPublicKey(described.PublicKey)
	if err != nil {
		return err
	}
	point, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("the public key is a %T", public)
	}
	fmt.Printf("verified %t\n", ecdsa.VerifyASN1(point, digest[:], signed.Signature))
	return nil
}
