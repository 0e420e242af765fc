# -*- coding: euc-jp -*-
require 'json'
require_relative "lib/x"
autoload :Late, File.expand_path('../late', __FILE__)
$LOAD_PATH.unshift File.join(__dir__, 'lib')
require "rack/handler/#{name}"
Bundler.require(:default)
load Gem.activate_bin_path('rack', 'rackup', version)
x.encode('ISO-8859-15').force_encoding(y)
=begin
require 'doc'
=end
gem 'rack', '~> 2'
DATA = File.expand_path('../data/*.yml', __FILE__)
