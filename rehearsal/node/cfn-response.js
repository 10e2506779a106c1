// `cfn-response` as inline Lambda code requires it (CloudFormation User Guide, "cfn-response module"):
// send(event, context, status, data, physicalResourceId, noEcho) PUTs the answer of a custom resource to
// CloudFormation. Lambda provides the module for inline code; a rehearsal provides this one.
'use strict';

exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

exports.send = (event, context, status, data, physicalResourceId, noEcho) => {
  const body = JSON.stringify({
    Status: status,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  const url = new URL(event.ResponseURL);
  const client = require(url.protocol === 'http:' ? 'http' : 'https');
  const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
  const request = client.request(url, { method: 'PUT', headers }, (response) => {
    response.resume();
    context.done();
  });
  request.on('error', (error) => {
    console.log(`cfn-response could not answer CloudFormation: ${error.message}`);
    context.done();
  });
  request.end(body);
};
