module amplify-delivery/launcher

go 1.24.0
