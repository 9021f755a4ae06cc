"""Metrics, as boto3 lists and reads them."""

import time
import unittest
from datetime import datetime, timedelta, timezone

import boto3

kms = boto3.client('kms')
watch = boto3.client('cloudwatch')


def having(**values):
    return [{'Name': name, 'Value': value} for name, value in values.items()]


class Watch(unittest.TestCase):
    def test_pages_of_metrics_and_values(self):
        key = kms.create_key()['KeyMetadata']
        for _ in range(3):
            kms.encrypt(KeyId=key['KeyId'], Plaintext=b'x')
        metric = {
            'Namespace': 'AWS/KMS',
            'MetricName': 'SuccessfulRequest',
            'Dimensions': having(KeyArn=key['Arn'], Operation='Encrypt'),
        }
        listing = watch.get_paginator('list_metrics')
        deadline = time.monotonic() + 60
        while True:
            pages = listing.paginate(Namespace='AWS/KMS')
            found = [each for page in pages for each in page['Metrics']]
            if metric in found:
                break
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        hour = timedelta(hours=1)
        now = datetime.now(timezone.utc)
        queries = [
            {'Id': 'encrypts', 'MetricStat': {'Metric': metric, 'Period': 60, 'Stat': 'Sum'}},
            {'Id': 'samples', 'MetricStat': {'Metric': metric, 'Period': 60, 'Stat': 'SampleCount'}},
        ]
        span = {'StartTime': now - hour, 'EndTime': now + hour}
        pages = watch.get_paginator('get_metric_data').paginate(
            MetricDataQueries=queries, PaginationConfig={'PageSize': 1}, **span
        )
        sums = {}
        for page in pages:
            for result in page['MetricDataResults']:
                sums[result['Id']] = sums.get(result['Id'], 0) + sum(result['Values'])
        self.assertEqual(sums, {'encrypts': 3, 'samples': 3})
        told = watch.get_metric_statistics(Period=7200, Statistics=['Sum', 'Average'], **metric, **span)
        self.assertEqual(told['Label'], 'SuccessfulRequest')
        [point] = told['Datapoints']
        self.assertEqual((point['Sum'], point['Average'], point['Unit']), (3, 1, 'Count'))
        self.assertEqual(point['Timestamp'].tzinfo.utcoffset(None), timedelta(0))

    def test_errors(self):
        with self.assertRaises(watch.exceptions.InvalidNextToken):
            watch.get_metric_data(
                MetricDataQueries=[{'Id': 'm', 'MetricStat': {
                    'Metric': {'Namespace': 'AWS/KMS', 'MetricName': 'x'},
                    'Period': 60, 'Stat': 'Sum',
                }}],
                StartTime=datetime(2030, 1, 1), EndTime=datetime(2030, 1, 2), NextToken='nonsense',
            )
        asked = {'Namespace': 'AWS/KMS', 'MetricName': 'x', 'StartTime': datetime(2030, 1, 1)}
        with self.assertRaises(watch.exceptions.InvalidParameterValueException):
            watch.get_metric_statistics(
                EndTime=datetime(2030, 1, 1), Period=60, Statistics=['Sum'], **asked
            )
        with self.assertRaises(watch.exceptions.InvalidParameterCombinationException):
            watch.get_metric_statistics(
                EndTime=datetime(2030, 1, 3), Period=60, Statistics=['Sum'], **asked
            )


if __name__ == '__main__':
    unittest.main()
